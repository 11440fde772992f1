/** Acts, then cleans up whatever came of it; when both fail, both reasons are told. */
export const thenAlways = async <Value>(
  act: () => Promise<Value>,
  cleanUp: () => Promise<void>,
): Promise<Value> => {
  let value: Value
  try {
    value = await act()
  } catch (failure) {
    await cleanUp().catch((second: unknown) => {
      const both = `${reason(failure)}; then, cleaning up: ${reason(second)}`
      throw new Error(both, { cause: failure })
    })
    throw failure
  }
  await cleanUp()
  return value
}

const reason = (failure: unknown): string =>
  failure instanceof Error ? failure.message : String(failure)
