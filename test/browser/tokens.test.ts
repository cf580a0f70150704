import { readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'

const test = suite('colours of the page')

const css = readFileSync(new URL('../../hub/web/src/theme/tokens.css', import.meta.url), 'utf8')
const blocks = css.split('[data-mantine-color-scheme=')
const themes = { light: colours(blocks[0] ?? ''), dark: colours(blocks[1] ?? '') }

type Rgb = readonly [number, number, number]

function colours(block: string): Readonly<Record<string, Rgb>> {
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+): #([0-9a-f]{6});/g)].map(([, name = '', hex = '']) => [
      name,
      [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as unknown as Rgb,
    ]),
  )
}

const linear = (part: number) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)

/** WCAG 2.2, relative luminance and contrast ratio. */
const luminance = ([r, g, b]: Rgb) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)

function contrast(a: Rgb, b: Rgb): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

/** Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB. */
const sight: Readonly<Record<string, readonly Rgb[]>> = {
  usual: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
}

/** CIE L*a*b* (D65) of a colour as somebody with that sight sees it. */
function lab(colour: Rgb, matrix: readonly Rgb[]): Rgb {
  const light = colour.map(linear)
  const [r = 0, g = 0, b = 0] = matrix.map((row) =>
    Math.min(
      1,
      Math.max(
        0,
        row.reduce((sum, factor, i) => sum + factor * (light[i] ?? 0), 0),
      ),
    ),
  )
  const f = (t: number) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116)
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047)
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b)
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883)
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
}

/** Seven times the difference that is just noticed, 2.3 (Mahy, Van Eycken and Oosterlinck 1994): told apart without comparing. */
const leastApart = 16

const distance = (a: Rgb, b: Rgb) => Math.hypot(...a.map((part, i) => part - (b[i] ?? 0)))

for (const [name, theme] of Object.entries(themes)) {
  const colour = (token: string): Rgb => {
    const found = theme[token]
    assert.ok(found, `${token} is a colour of the ${name} theme`)
    return found as Rgb
  }

  test(`${name}: text has a contrast of at least 4.5 on paper, surface and sunken ground`, () => {
    const states = ['free', 'waiting', 'busy', 'maintenance', 'fault', 'offline'].map((state) => `state-${state}`)
    for (const ink of ['ink', 'ink-soft', 'ink-faint', 'accent-ink', ...states]) {
      for (const ground of ['paper', 'surface', 'sunken']) {
        const ratio = contrast(colour(ink), colour(ground))
        assert.ok(ratio >= 4.5, `${ink} on ${ground}: ${ratio.toFixed(2)}`)
      }
    }
    assert.ok(contrast(colour('on-accent'), colour('accent')) >= 4.5)
    assert.ok(contrast(colour('on-accent'), colour('accent-hover')) >= 4.5)
    assert.ok(contrast(colour('on-accent'), colour('state-fault')) >= 4.5)
  })

  test(`${name}: marks, fields and data have a contrast of at least 3`, () => {
    const data = Array.from({ length: 8 }, (_, i) => `data-${i + 1}`)
    for (const mark of ['line-control', 'accent', ...data]) {
      for (const ground of ['paper', 'surface']) {
        const ratio = contrast(colour(mark), colour(ground))
        assert.ok(ratio >= 3, `${mark} on ${ground}: ${ratio.toFixed(2)}`)
      }
    }
  })

  test(`${name}: all eight data colours stay apart, for colour-blind readers too`, () => {
    const tooClose: string[] = []
    for (const [who, matrix] of Object.entries(sight)) {
      for (let a = 1; a <= 8; a++) {
        for (let b = a + 1; b <= 8; b++) {
          const apart = distance(lab(colour(`data-${a}`), matrix), lab(colour(`data-${b}`), matrix))
          if (apart < leastApart) tooClose.push(`${who}: data-${a} and data-${b} are ${apart.toFixed(1)} apart`)
        }
      }
    }
    assert.equal(tooClose, [])
  })
}

test.run()
