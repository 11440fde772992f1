/**
 * What runs in the browser: it fetches the page again, and puts the new content in the place of the
 * old one. What is shown must never look newer than it is: when no answer comes, the page says so,
 * and is dimmed. Without scripts the browser loads the page again by itself: see cluster-page.ts.
 */

/** From an answer to the next request. */
const refreshMs = 1000
/** Without an answer. */
const patienceMs = 3000

export const script = `
'use strict'
const notice = document.getElementById('notice')
let heardAt = Date.now()
let trouble = ''

const show = () => {
  const age = Date.now() - heardAt
  const isStale = age > ${patienceMs}
  document.body.classList.toggle('stale', isStale)
  notice.hidden = !isStale
  if (!isStale) return
  const shownAt = document.querySelector('main time').textContent
  const text = 'NOT CURRENT: this is ' + Math.round(age / 1000) + ' s old, of ' + shownAt + '. '
  notice.textContent = text + trouble
  document.title = '? ' + document.title.replace(/^\\? /, '')
}

const refresh = async () => {
  try {
    const signal = AbortSignal.timeout(${patienceMs})
    const answer = await fetch('/ui', { signal, cache: 'no-store' })
    const next = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const main = next.querySelector('main')
    if (main === null) throw new Error('HTTP status ' + answer.status + '.')
    if (String(getSelection()) !== '') throw new Error('Nothing is refreshed while text is selected.')
    document.querySelector('main').replaceWith(main)
    document.title = next.title
    heardAt = Date.now()
  } catch (error) {
    const isUnreachable = ['TypeError', 'TimeoutError'].includes(error.name)
    trouble = isUnreachable ? 'The daemon does not answer.' : error.message
  }
  show()
  setTimeout(refresh, ${refreshMs})
}

setTimeout(refresh, ${refreshMs})
setInterval(show, 1000)
document.addEventListener('visibilitychange', show)
`
