/** Time spans for people: two units at most, never a bare number. */

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** `850 ms`, `4.2 s`, `3 min 5 s`, `2 h 12 min`, `9 d 4 h`. Negative spans count as none. */
export const printDuration = (spanMs: number): string => {
  const ms = Math.max(0, spanMs)
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < minuteMs) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  if (ms < hourMs) return `${Math.floor(ms / minuteMs)} min ${Math.floor((ms % minuteMs) / 1000)} s`
  if (ms < dayMs) return `${Math.floor(ms / hourMs)} h ${Math.floor((ms % hourMs) / minuteMs)} min`
  return `${Math.floor(ms / dayMs)} d ${Math.floor((ms % dayMs) / hourMs)} h`
}
