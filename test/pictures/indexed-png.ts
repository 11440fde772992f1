/**
 * Screenshots as files of few colours. Text on a plain ground has hardly more than a palette holds,
 * and takes a fraction of the bytes that way.
 *
 * Source: Portable Network Graphics, Third Edition (W3C), chapters 7, 9 and 11.
 */
import assert from 'node:assert'
import { crc32, deflateSync, inflateSync } from 'node:zlib'

const signature = Buffer.from('\u0089PNG\r\n\u001A\n', 'latin1')
const coloursMax = 64

type Chunk = readonly [type: string, body: Buffer]

const readChunks = (png: Buffer): readonly Chunk[] => {
  const found: Chunk[] = []
  for (let at = signature.length; at < png.length;) {
    const end = at + 8 + png.readUInt32BE(at)
    found.push([png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, end)])
    at = end + 4
  }
  return found
}

const writeChunk = ([type, body]: Chunk): Buffer => {
  const [head, typed] = [Buffer.alloc(4), Buffer.concat([Buffer.from(type, 'latin1'), body])]
  head.writeUInt32BE(body.length)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(typed))
  return Buffer.concat([head, typed, sum])
}

/** What the filters of a scanline add to each byte: of the pixel to the left, above, or both. */
const predicted = (filter: number, left: number, above: number, corner: number): number => {
  if (filter === 1) return left
  if (filter === 2) return above
  if (filter === 3) return Math.floor((left + above) / 2)
  if (filter !== 4) return 0
  const guess = left + above - corner
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - above), Math.abs(guess - corner)]
  if (a <= b && a <= c) return left
  return b <= c ? above : corner
}

const unfilter = (bytes: Buffer, rowBytes: number, pixelBytes: number): readonly Buffer[] => {
  const rows: Buffer[] = []
  let above = Buffer.alloc(rowBytes)
  for (let at = 0; at < bytes.length; at += rowBytes + 1) {
    const filter = bytes[at] ?? 0
    const row = Buffer.from(bytes.subarray(at + 1, at + 1 + rowBytes))
    for (let index = 0; index < rowBytes; index += 1) {
      const left = row[index - pixelBytes] ?? 0
      const corner = above[index - pixelBytes] ?? 0
      row[index] = (row[index] ?? 0) + predicted(filter, left, above[index] ?? 0, corner)
    }
    rows.push(row)
    above = row
  }
  return rows
}

const distance = (one: number, other: number): number =>
  [16, 8, 0].reduce((sum, shift) => {
    const apart = ((one >> shift) & 255) - ((other >> shift) & 255)
    return sum + apart * apart
  }, 0)

/** The most frequent colours, and of the others the one that is nearest. */
const chooseColours = (pixels: readonly number[]) => {
  const counts = new Map<number, number>()
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1)
  const frequent = [...counts].toSorted(([, one], [, other]) => other - one)
  const palette = frequent.slice(0, coloursMax).map(([colour]) => colour)
  const nearest = (pixel: number): number => {
    const apart = palette.map(colour => distance(pixel, colour))
    return apart.indexOf(Math.min(...apart))
  }
  const indexes = new Map(Array.from(counts.keys(), pixel => [pixel, nearest(pixel)]))
  return { palette, indexOf: (pixel: number): number => indexes.get(pixel) ?? 0 }
}

/** Of a picture with 8 bits for each of red, green and blue, as browsers make it. */
export const withPalette = (png: Buffer): Buffer => {
  const chunks = readChunks(png)
  const [, header = Buffer.alloc(0)] = chunks[0] ?? []
  const [width, colourType] = [header.readUInt32BE(0), header[9]]
  assert(header[8] === 8 && (colourType === 2 || colourType === 6), 'a screenshot of a browser')
  const pixelBytes = colourType === 2 ? 3 : 4
  const packed = chunks.filter(([type]) => type === 'IDAT').map(([, body]) => body)
  const rows = unfilter(inflateSync(Buffer.concat(packed)), width * pixelBytes, pixelBytes)
  const pixelsOf = (row: Buffer): readonly number[] =>
    Array.from({ length: width }, (_, index) => row.readUIntBE(index * pixelBytes, 3))
  const pixels = rows.map(pixelsOf)
  const { palette, indexOf } = chooseColours(pixels.flat())
  const indexed = Buffer.from(header)
  indexed[9] = 3
  const lines = pixels.map(line => Buffer.from([0, ...line.map(indexOf)]))
  const written: readonly Chunk[] = [
    ['IHDR', indexed],
    [
      'PLTE',
      Buffer.from(palette.flatMap(colour => [colour >> 16, (colour >> 8) & 255, colour & 255])),
    ],
    ['IDAT', deflateSync(Buffer.concat(lines), { level: 9 })],
    ['IEND', Buffer.alloc(0)],
  ]
  return Buffer.concat([signature, ...written.map(writeChunk)])
}
