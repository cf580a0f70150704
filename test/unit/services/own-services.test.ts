import { parseNodeFile } from '@fernlab/shared/contracts/node-file'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('daemons and services in node.yaml')
const node = (more: string) => parseNodeFile(`node: pi\nhub: {url: in-process}\ninstruments: {}\n${more}`)
const issuesOf = (more: string) => node(more).issues.map(({ path, message }) => `${path}: ${message}`)
const firstOf = (issues: readonly string[]) => issues[0] ?? ''

test('have defaults, and a node without them has none', () => {
  const { node: file, issues } = node('daemons: {data: {}}\nservices: {own: {fit: {file: ./fit.ts, daemon: data}}}')
  assert.equal(issues, [])
  assert.equal(file?.daemons, { data: { memoryMB: 512, autostart: true, hungS: 60, env: {} } })
  assert.equal(file?.services.own, {
    fit: {
      file: './fit.ts',
      daemon: 'data',
      instances: 'single',
      parameters: {},
      tags: [],
      register: true,
      whenLost: 'keep',
    },
  })
  assert.equal([node('').node?.daemons, node('').node?.services], [{}, { own: {} }])
})

test('that are wrong are refused with their place', () => {
  const own = (entry: string) =>
    issuesOf(`benches: {b1: {parts: {}}}\ndaemons: {data: {}, more: {}}\nservices: {own: {${entry}}}`)
  assert.equal(own('fit: {file: ./fit.ts, daemon: dato}'), [
    'services.own.fit.daemon: there is no daemon dato; did you mean "data"?',
  ])
  assert.equal(own('node: {file: ./fit.ts, daemon: data}'), [
    'services.own.node: node, and what begins with node., are services of the node itself: choose another name',
  ])
  assert.equal(own('b1.scope: {file: ./fit.ts, daemon: data}'), [
    'services.own.b1.scope: names that begin with b1. are those of the parts of bench b1',
  ])
  assert.equal(own('fit: {file: ./fit.ts, daemon: data}, mean: {file: ./mean.py, daemon: data}'), [
    'services.own.mean.daemon: daemon data has ./fit.ts already: a daemon is of one language, so give it another one',
  ])
  assert.match(firstOf(own('fit: {file: ./fit.exe, daemon: data}')), /^services\.own\.fit\.file: must be a file of/)
  assert.match(firstOf(own('../fit: {file: ./fit.ts, daemon: data}')), /must be names of letters/)
  assert.match(firstOf(own('fit: {file: ./fit.ts, daemon: data, colour: red}')), /colour/)
  assert.match(firstOf(issuesOf('daemons: {data: {memoryMB: 1}}')), /^daemons\.data\.memoryMB: /)
  assert.match(firstOf(issuesOf('daemons: {data: {}, data: {}}')), /the key data stands twice/)
  assert.match(
    firstOf(own('fit: {file: ./fit.ts, daemon: data}, fit: {file: ./other.ts, daemon: more}')),
    /the key fit stands twice/,
  )
})

test('of folders are refused where they would show or change what is the node’s', () => {
  const own = (entries: string) => issuesOf(`daemons: {data: {}, py: {}}\nservices: {own: {${entries}}}`)
  const folder = (more: string) => own(`r: {daemon: data, ${more}}`)
  assert.equal(folder('folder: ./results, write: true, quotaMB: 5'), [])
  assert.equal(folder('description: nothing'), [
    'services.own.r: must have a file, as ./fit.ts, or a folder, as ./results',
  ])
  assert.match(folder('folder: ./a, file: ./a.ts').join(), /r\.folder: a service is either a file or a folder/)
  assert.match(folder('file: ./a.ts, quotaMB: 5').join(), /r\.quotaMB: is of a folder/)
  assert.match(folder('folder: ./a, quotaMB: 5').join(), /r\.quotaMB: .*write: true/)
  assert.match(folder('folder: ./a, instances: session').join(), /r\.instances: a folder is one for all clients/)
  assert.match(folder('folder: ./a, parameters: {b: 1}').join(), /r\.parameters: a folder has none/)
  for (const path of ['.', './a/..', '..', '../../x/../..', '/'])
    assert.match(folder(`folder: ${path}`).join(), /r\.folder: holds node\.yaml/, path)
  const held = own('r: {folder: ./code, daemon: data, write: true}, fit: {file: code/fit.ts, daemon: data}')
  assert.match(held.join(), /r\.folder: holds code\/fit\.ts, which the node runs/)
  const both = 'r: {folder: ./a, daemon: data, write: true}, s: {folder: a/b, daemon: data, write: true}'
  assert.match(own(both).join(), /s\.folder: is written by r as well/)
  assert.equal(own('r: {folder: ./a, daemon: data, write: true}, s: {folder: ./a, daemon: data}'), [])
  assert.match(own('p: {file: ./p.py, daemon: py}, r: {folder: ./a, daemon: py}').join(), /r\.daemon: .*language/)
})

test.run()
