/** HTML text. Whatever is put into it is escaped, so that no text of others becomes markup. */

/** Made by the functions of this module alone. */
export type Html = { readonly markup: string }

/** Null is left out. */
export type Content = Html | string | number | null | readonly Content[]

/** Null is left out. */
type Attributes = Readonly<Record<string, string | number | null>>

/** An element with its end tag. */
export const element = (name: string, attributes: Attributes, ...content: Content[]): Html => ({
  markup: `${startTag(name, attributes)}${printContent(content)}</${name}>`,
})

/** An element that has no content and no end tag, such as `meta`. */
export const voidElement = (name: string, attributes: Attributes): Html => ({
  markup: startTag(name, attributes),
})

/** Text that a browser takes as it is, of our own: it must not contain an end tag. */
export const rawElement = (name: 'style' | 'script', text: string): Html => ({
  markup: `<${name}>${text}</${name}>`,
})

export const htmlDocument = (language: string, ...content: Content[]): string =>
  `<!doctype html>\n${element('html', { lang: language }, ...content).markup}\n`

const startTag = (name: string, attributes: Attributes): string => {
  const printed = Object.entries(attributes).map(([key, value]) =>
    value === null ? '' : ` ${key}="${escapeText(String(value))}"`,
  )
  return `<${name}${printed.join('')}>`
}

const printContent = (content: Content): string => {
  if (content === null) return ''
  if (typeof content === 'string' || typeof content === 'number') return escapeText(String(content))
  return 'markup' in content ? content.markup : content.map(printContent).join('')
}

const escapeText = (text: string): string =>
  text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
