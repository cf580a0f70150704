/** Text for terminals that were told to show ASCII, or an alphabet of one byte, only. */

const plain: Readonly<Record<string, string>> = {
  '’': "'",
  '‘': "'",
  '“': '"',
  '”': '"',
  '–': '-',
  '—': '-',
  '…': '...',
  '→': '->',
  '±': '+/-',
  '×': 'x',
  '·': '.',
  '°': 'deg',
  µ: 'u',
  μ: 'u',
  Ω: 'Ohm',
  τ: 'tau',
  '\u00a0': ' ',
  '\u202f': ' ',
}

/** Whether the locale asks for another charset than UTF-8; where it says nothing, UTF-8 is right almost everywhere. */
export function isAscii(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || ''
  return locale !== '' && !/utf-?8/i.test(locale)
}

/** The text with signs that stand for others, letters without their accents, and a question mark for the rest. */
export const inAscii = (text: string): string =>
  [...text].map((sign) => (sign <= '\u007f' ? sign : (plain[sign] ?? withoutAccent(sign)))).join('')

function withoutAccent(sign: string): string {
  const [letter = '?'] = sign.normalize('NFD')
  return letter <= '\u007f' ? letter : '?'
}
