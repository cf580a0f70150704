import { missingFrom } from '@fernlab/shared/capabilities/signals'
import { parseNodeFile } from '@fernlab/shared/contracts/node-file'
import { formatIssues, type Issue } from '@fernlab/shared/primitives/lab-error'
import { checkLabFolder } from '@fernlab/shared/protocol/lab-folder'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { meter, supply } from './bench.ts'

const test = suite('lab and node files')

const LAB = `title: { en: RC circuit, es: Circuito RC }
summary: Charge it.
picture: picture.svg
parts:
  psu:
    signals:
      voltage: { unit: V, access: read-set }
      output: { unit: '1', access: set, dtype: boolean }
limits:
  psu.voltage: { low: 0, high: 5 }
`
const PROTOCOL = `title: Step
version: 1
steps:
  - set: { psu.voltage: 3, psu.output: true }
  - read: { signals: [psu.voltage] }
`
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1"/></svg>'

const folder = (changes: Record<string, string | Uint8Array | undefined> = {}) => {
  const files = {
    'lab.yaml': LAB,
    'protocols/step.yaml': PROTOCOL,
    'README.md': '# RC',
    'README.es.md': '# RC es',
    'picture.svg': SVG,
    ...changes,
  }
  const present = Object.entries(files).filter(
    (entry): entry is [string, NonNullable<(typeof entry)[1]>] => entry[1] !== undefined,
  )
  return checkLabFolder(Object.fromEntries(present), { folder: 'rc-circuit' })
}
const issuesOf = (changes: Record<string, string | Uint8Array | undefined>) => formatIssues(folder(changes).issues)

test('a lab folder becomes a bundle', () => {
  const { lab, issues } = folder({ 'notes.txt': 'left out', 'protocols/img/x.txt': '' })
  assert.equal(issues, [])
  assert.is(lab?.id, 'rc-circuit')
  assert.equal(lab?.readme, { en: '# RC', es: '# RC es' })
  assert.equal(Object.keys(lab?.protocols ?? {}), ['step'])
  assert.equal(Object.keys(lab?.files ?? {}), ['picture.svg'])
  assert.is(folder({ 'lab.yaml': `id: other\n${LAB}` }).lab?.id, 'other')
})

test('a limit of no signal, a picture that is not there and a protocol beyond a limit are told together', () => {
  const limited = LAB.replace(/psu\.voltage: \{/, 'psu.volts: {low: 0}\n  psu.voltage: {')
  assert.not.equal(limited, LAB)
  const found = issuesOf({
    'lab.yaml': `${limited}picture: nowhere.svg\n`.replace('picture: picture.svg\n', ''),
    'protocols/step.yaml': PROTOCOL.replace('psu.voltage: 3', 'psu.voltage: 12'),
  })
  assert.match(found, /limits\.psu\.volts: part psu has no signal volts/)
  assert.match(found, /picture nowhere\.svg is not a picture/)
  assert.match(found, /12 V is above the limit of 5 V/)
})

test('a folder with too many files is not blamed on a file', () => {
  const many = Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`notes-${i}.txt`, '']))
  assert.is(issuesOf(many), "the lab's folder holds more than 200 files")
})

test('what is wrong in a lab is told with file, line, column and path', () => {
  assert.match(issuesOf({ 'lab.yaml': undefined }), /^lab\.yaml:1:1: is missing/)
  assert.is(
    issuesOf({ 'protocols/step.yaml': PROTOCOL.replace('psu.voltage: 3', 'psu.voltage: 12') }),
    'protocols/step.yaml:4:25: steps[0].set.psu.voltage: 12 V is above the limit of 5 V',
  )
  assert.match(
    issuesOf({ 'protocols/step.yaml': PROTOCOL.replace('psu.output', 'pst.output') }),
    /step\.yaml:4:40: steps\[0\]\.set\.pst\.output: the bench has no part pst/,
  )
  assert.match(
    issuesOf({ 'protocols/step.yaml': PROTOCOL.replace('[psu.voltage]', '[psu.output]') }),
    /step\.yaml:5:\d+: .*psu\.output cannot be read/,
  )
  assert.match(issuesOf({ 'protocols/step.yaml': PROTOCOL.replace('3,', '3 s,') }), /s is a time, not a voltage/)
  assert.match(issuesOf({ 'protocols/step.yaml': undefined }), /the lab has no protocol/)
  assert.match(issuesOf({ 'protocols/Bad Name.yaml': PROTOCOL }), /the name of a protocol/)
  assert.match(
    issuesOf({ 'lab.yaml': LAB.replace('psu.voltage', 'psu.voltag') }),
    /lab\.yaml:10:3: limits\.psu\.voltag: part psu has no signal voltag; did you mean "voltage"/,
  )
  assert.match(
    issuesOf({ 'lab.yaml': LAB.replace('summary', 'sumary') }),
    /summary: is missing[\s\S]*unknown key "sumary"; did you mean "summary"/,
  )
  assert.match(issuesOf({ 'lab.yaml': `id: Not A Name\n${LAB}` }), /lab\.yaml:1:5: id: /)
})

test('a description in lab.yaml is refused by name', () => {
  assert.is(
    issuesOf({ 'lab.yaml': `${LAB}description: Long.\n` }),
    'lab.yaml:11:14: description: write what students read into README.md',
  )
})

test('pictures are pictures, small and without scripts', () => {
  assert.match(issuesOf({ 'picture.svg': undefined }), /picture\.svg is not a picture in the folder/)
  assert.match(issuesOf({ 'picture.svg': '<svg><script>alert(1)</script></svg>' }), /holds scripts/)
  assert.match(issuesOf({ 'picture.svg': '<svg onload="alert(1)"></svg>' }), /holds scripts/)
  assert.match(issuesOf({ 'picture.svg': 'hello' }), /holds no <svg>/)
  assert.match(issuesOf({ 'photo.png': new Uint8Array(2 * 1024 * 1024) }), /photo\.png:1:1: is larger than 1 MB/)
  assert.match(issuesOf({ 'photo.png': new Uint8Array(100) }), /does not hold what its name says/)
})

const PAGED = `${LAB}session: {}\npage: page/index.html\n`

test('a page of the lab’s own is an HTML file in a folder, and all in that folder is part of the lab', () => {
  const files = { 'page/index.html': '<!doctype html>', 'page/part/meter.js': '1', 'page/drawing.svg': '<svg/>' }
  const { lab, issues } = folder({ ...files, 'lab.yaml': PAGED })
  assert.equal(issues, [])
  assert.equal(Object.keys(lab?.files ?? {}).sort(), [...Object.keys(files), 'picture.svg'].sort())
  const withPage = (page: string, more: Record<string, string | Uint8Array> = {}) =>
    issuesOf({ 'lab.yaml': PAGED.replace('page/index.html', page), ...files, ...more })
  assert.match(withPage('index.html'), /page index\.html must be in a folder of its own, such as page\/index\.html/)
  assert.match(withPage('protocols/index.html'), /must be in a folder of its own/)
  assert.match(withPage('page/meter.js'), /must be an HTML file/)
  assert.match(withPage('page/other.html'), /page page\/other\.html is not in the folder/)
  assert.match(withPage('page/index.html', { 'page/index.html': '' }), /page\/index\.html:1:1: is empty/)
  assert.match(withPage('page/index.html', { 'page/run.exe': 'MZ' }), /page\/run\.exe:1:1: may not be part of a page/)
  assert.match(
    withPage('page/index.html', { 'page/big.json': new Uint8Array(5_000_001) }),
    /page\/big\.json:1:1: is larger than 5 MB/,
  )
  assert.match(
    withPage('page/index.html', { 'page/index.html': '<script src="https://cdn.example/three.js"></script>' }),
    /loads https:\/\/cdn\.example\/three\.js, which a lab's page may not/,
  )
  assert.match(issuesOf({ 'lab.yaml': `${LAB}page: page/index.html\n`, ...files }), /a page is for live sessions/)
})

test('paths stay within the folder', () => {
  for (const path of ['../evil.yaml', '/etc/passwd', 'a/../../b', 'a\\b', 'a//b', 'a\nb']) {
    assert.match(issuesOf({ [path]: 'x' }), /is not a plain path within the folder/, path)
  }
  assert.match(
    issuesOf(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`f${i}`, '']))),
    /more than 200 files/,
  )
})

const NODE = `site: demo
node: pi-1
hub: { url: 'mqtt://hub.example:1883' }
instruments:
  psu-1: { driver: scpi, config: { port: /dev/ttyUSB0 } }
  dmm-1: { driver: scpi, config: {} }
benches:
  left:
    parts: { psu: psu-1, meter: dmm-1 }
    safeState: { psu.voltage: 0, psu.output: false }
    limits: { psu.voltage: { high: 5 } }
`
const nodeIssues = (text: string) => formatIssues(parseNodeFile(text, { file: 'node.yaml' }).issues)

test('a node file is read with its defaults', () => {
  const { node, issues } = parseNodeFile(NODE)
  assert.equal(issues, [])
  assert.is(node?.instruments['psu-1']?.shared, false)
  assert.equal(node?.benches.left?.safeState, { 'psu.voltage': 0, 'psu.output': false })
})

test('an instrument claimed by two benches is refused with both places', () => {
  const text = `${NODE}  right:\n    parts: { psu: psu-1 }\n`
  const issues = nodeIssues(text)
  assert.match(
    issues,
    /node\.yaml:13:19: benches\.right\.parts\.psu: psu-1 is claimed by benches\.left\.parts\.psu already/,
  )
  assert.match(issues, /node\.yaml:9:19: benches\.left\.parts\.psu: psu-1 is claimed by benches\.right\.parts\.psu too/)
  assert.is(nodeIssues(text.replace('driver: scpi, config: { port', 'driver: scpi, shared: true, config: { port')), '')
})

test('an instrument that is two parts of one bench is refused, for the limits of the one would not hold for the other', () => {
  const text = NODE.replace('psu: psu-1', 'psu: psu-1, twin: psu-1')
  assert.match(
    nodeIssues(text),
    /node\.yaml:9:\d+: benches\.left\.parts\.twin: psu-1 is part psu of this bench already/,
  )
})

test('what is wrong in a node file is told with its place', () => {
  const cases: [string, string, RegExp][] = [
    ['psu: psu-1', 'psu: psu-2', /9:19: benches\.left\.parts\.psu: there is no instrument psu-2; did you mean "psu-1"/],
    [
      '{ psu.voltage: 0',
      '{ spu.voltage: 0',
      /10:\d+: benches\.left\.safeState\.spu\.voltage: bench left has no part spu; did you mean "psu"/,
    ],
    ['psu.voltage: 0', 'psu.voltage: 9', /safeState\.psu\.voltage: 9 is outside the limits/],
    ['mqtt://', 'ftp://', /3:13: hub\.url: must begin with mqtt/],
    ['mqtt://', 'mqtt://[', /3:13: hub\.url: must be an address/],
    ['pi-1', 'Pi.1', /2:7: node: /],
    ['benches:', 'bench:', /unknown key "bench"; did you mean "benches"/],
    ['{ high: 5 }', '{ high: 5, low: 6 }', /low is above high/],
    ['driver: scpi, config: {} ', 'config: {} ', /6:\d+: instruments\.dmm-1\.driver: is missing/],
    ['psu-1: {', 'psu-1: { a: 1, a: 2,', /the key a stands twice/],
  ]
  for (const [from, to, message] of cases) {
    assert.ok(NODE.includes(from), from)
    assert.match(nodeIssues(NODE.replace(from, to)), message, to)
  }
})

test('what an instrument lacks to serve as a part is named', () => {
  const lacks = (signals: Parameters<typeof missingFrom>[0]['signals'], actions: string[] = []): Issue[] =>
    missingFrom({ signals, actions }, supply)
  assert.equal(
    lacks({ voltage: { unit: 'mV', access: 'set' }, mode: { unit: '1', access: 'set', dtype: 'string' } }, [
      'selftest',
    ]),
    [],
  )
  assert.match(
    formatIssues(lacks({ current: { unit: 'A', access: 'read' } })),
    /signals\.current: psu-1 has no signal current/,
  )
  assert.match(formatIssues(lacks({ voltage: { unit: 's', access: 'set' } })), /is in V, not in s/)
  assert.match(formatIssues(lacks({ mode: { unit: '1', access: 'read' } })), /mode cannot be read/)
  assert.match(
    formatIssues(lacks({ output: { unit: '1', access: 'set', dtype: 'number' } })),
    /of type boolean, not number/,
  )
  assert.match(formatIssues(lacks({}, ['explode'])), /has no action explode/)
  assert.match(
    formatIssues(missingFrom({ signals: { voltage: { unit: 'V', access: 'read-set' } } }, meter)),
    /cannot be both set and read/,
  )
})

test.run()
