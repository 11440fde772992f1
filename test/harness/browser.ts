/** A real browser without a window. */
import { chromium, type Browser, type Page } from 'playwright-core'
import type { Test } from 'tap'

/** Ends with the test. */
export const startBrowser = async (t: Test, program: string): Promise<Browser> => {
  const browser = await chromium.launch({
    executablePath: program,
    // Its sandbox needs what containers lack, and root may not use it. The only page is our own.
    args: ['--no-sandbox'],
  })
  t.teardown(() => browser.close())
  return browser
}

export type Watched = {
  readonly page: Page
  /** Addresses that were requested. */
  readonly requested: readonly string[]
  /** What the browser complained of. */
  readonly complaints: readonly string[]
}

/** Opens a page, of which everything that it does is noted. */
export const openPage = async (browser: Browser, address: string): Promise<Watched> => {
  const page = await browser.newPage()
  const requested: string[] = []
  const complaints: string[] = []
  page.on('request', request => requested.push(request.url()))
  page.on('pageerror', error => complaints.push(String(error)))
  page.on('console', message => complaints.push(message.text()))
  await page.goto(address)
  return { page, requested, complaints }
}

/**
 * Runs in the browser: the lowest contrast of any text with the ground that it stands on, as WCAG
 * 2.2 defines it (1.4.3), and the text.
 */
const lowestContrast = `(() => {
  const parse = color => color.match(/[\\d.]+/g).map(Number)
  const channel = value => {
    const part = value / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }
  const luminance = ([red, green, blue]) =>
    0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue)
  const groundOf = element => {
    const color = parse(getComputedStyle(element).backgroundColor)
    return color[3] === 0 ? groundOf(element.parentElement) : color
  }
  const texts = [...document.querySelectorAll('body *')].filter(
    element => element.matches(':not(script)') && element.checkVisibility() &&
      [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim() !== ''))
  return texts.map(element => {
    const ground = luminance(groundOf(element))
    const text = luminance(parse(getComputedStyle(element).color))
    const [light, dark] = ground > text ? [ground, text] : [text, ground]
    return { text: element.textContent, ratio: (light + 0.05) / (dark + 0.05) }
  }).sort((a, b) => a.ratio - b.ratio)[0]
})()`

export const contrastOf = (
  page: Page,
): Promise<{ readonly ratio: number; readonly text: string }> => page.evaluate(lowestContrast)

/** In CSS pixels: how much of the page is cut off at the right. */
export const hiddenWidth = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - innerWidth')
