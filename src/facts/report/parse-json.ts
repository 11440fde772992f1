/** Documents of others, which may be anything: reading them never throws. */
import type { Json } from './snapshot-json.ts'

/** An object of JSON. */
export type Document = { readonly [field: string]: Json }

export const parseObject = (text: string): Document | null => {
  try {
    const value = JSON.parse(text) as Json
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

export const isObject = (value: Json | undefined): value is Document =>
  typeof value === 'object' && value !== null && !isList(value)

export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)
