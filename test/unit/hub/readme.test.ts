import { renderReadme } from '@fernlab/hub/catalogue/render-readme'
import type { ReadmeNode } from '@fernlab/shared/contracts/api'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('a lab’s text as the page draws it')

type Element = Exclude<ReadmeNode, string>

function elements(nodes: readonly ReadmeNode[]): Element[] {
  return nodes.flatMap((node) => (typeof node === 'string' ? [] : [node, ...elements(node.children ?? [])]))
}

const words = (node: ReadmeNode | undefined): string =>
  typeof node === 'object' ? (node.children ?? []).map(words).join('') : (node ?? '')

const render = (markdown: string) => renderReadme(markdown, '/api/v1/labs/rc/files/')
const all = (markdown: string, tag: string) => elements(render(markdown)).filter((element) => element.tag === tag)

test('Markdown with tables, struck words and notes is there as elements', () => {
  assert.equal(render('One *word*'), [{ tag: 'p', children: ['One ', { tag: 'em', children: ['word'] }] }])
  assert.equal(
    all('| a | b |\n|---|--:|\n| 1 | 2 |', 'td').map(({ attributes }) => attributes),
    [undefined, { style: { textAlign: 'right' } }],
  )
  assert.is(all('~~gone~~', 'del').length, 1)
})

test('formulas are set, with MathML for screen readers and every style an object', () => {
  const set = elements(render('The time is $\\tau = RC$.'))
  assert.ok(set.some(({ attributes }) => attributes?.className === 'katex'))
  assert.is(words(set.find(({ tag }) => tag === 'annotation')), '\\tau = RC')
  const styles = set.flatMap(({ attributes }) => (attributes?.style === undefined ? [] : [attributes.style]))
  assert.ok(styles.length > 0)
  for (const style of styles) assert.type(style, 'object')
  assert.ok(set.some(({ attributes }) => attributes?.['aria-hidden'] === 'true'))
})

test('a formula on a line of its own stands alone, with or without line breaks inside', () => {
  const isDisplay = ({ attributes }: Element) => attributes?.className === 'katex-display'
  for (const text of ['$$a^2$$', '$$\na^2\n$$']) assert.is(elements(render(text)).filter(isDisplay).length, 1, text)
  assert.is(elements(render('so $$a^2$$ it is')).filter(isDisplay).length, 0)
})

test('a wrong formula shows as it was written, and none reaches out of the text', () => {
  const [wrong] = elements(render('$\\frac{1}{$')).filter(({ attributes }) => attributes?.className === 'katex-error')
  assert.is(words(wrong), '\\frac{1}{')
  assert.is(all('$\\href{javascript:alert(1)}{x}$', 'a').length, 0)
  assert.is(all('$\\includegraphics{https://elsewhere.example/x.png}$', 'img').length, 0)
})

test('HTML stays text, and an address that would run something leads nowhere', () => {
  const text = '<script>alert(1)</script>\n\nsee <img src=x onerror=alert(1)>'
  assert.is(all(text, 'script').length + all(text, 'img').length, 0)
  assert.match(render(text).map(words).join(''), '<script>alert(1)</script>')
  const hrefs = (markdown: string) => all(markdown, 'a').map(({ attributes }) => attributes?.href)
  assert.equal(hrefs('[a](javascript:alert(1)) [b](https://x.example) [c](#how) [d](mailto:a@x.example)'), [
    '',
    'https://x.example',
    '#how',
    'mailto:a@x.example',
  ])
})

test('pictures of the lab come from its files', () => {
  const sources = (markdown: string) => all(markdown, 'img').map(({ attributes }) => attributes?.src)
  assert.equal(sources('![](a.svg) ![](./b/c.png) ![](https://x.example/d.png) ![](data:text/html,x)'), [
    '/api/v1/labs/rc/files/a.svg',
    '/api/v1/labs/rc/files/b/c.png',
    'https://x.example/d.png',
    '',
  ])
})

test.run()
