import { readPeople } from '@fernlab/hub/accounts/read-people'
import { listText } from '@fernlab/shared/primitives/list-text'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('a list of people is read')
const read = (text: string) => readPeople(text, 'student')
const issues = (text: string) => read(text).issues.map(({ path, message }) => `${path}: ${message}`)

test('columns in any order, separated as spreadsheets do, with a byte-order mark or without', () => {
  const ada = { line: 2, name: 'Ada Byron', email: 'ada@x.example', role: 'student', groups: [] }
  for (const text of [
    'name,email\nAda Byron,ada@x.example',
    '\uFEFFE-Mail;Name\r\nAda@X.example;Ada Byron\r\n',
    'correo\tnombre\nada@x.example\t Ada Byron \n',
    'Class,Name,Mail Address\n4b,"Ada Byron",ada@x.example\n\n,,\n',
  ]) {
    assert.equal(read(text), { people: [ada], issues: [] }, text)
  }
})

test('a role of its own counts, else the one for all', () => {
  const { people } = read('name,email,role\nA,a@x.example,Instructor\nB,b@x.example,\n')
  assert.equal(
    people.map(({ role }) => role),
    ['instructor', 'student'],
  )
})

test('groups are ids with spaces between, else the one for all; what can be none is told', () => {
  const { people } = readPeople(
    'name,email,grupos\nA,a@x.example,optics physics-2 optics\nB,b@x.example,\n',
    'student',
    ['all'],
  )
  assert.equal(
    people.map(({ groups }) => groups),
    [['optics', 'physics-2'], ['all']],
  )
  assert.equal(issues('name,email,groups\nA,a@x.example,a/b\n'), [
    'csv[2].groups: line 2: "a/b" is not the id of a group',
  ])
})

test('quoted names may hold commas, quotes and line breaks; lines are counted as the file has them', () => {
  const { people } = read('name,email\n"Byron, Ada ""A""",a@x.example\n"two\nlines",b@x.example\nC,c@x.example')
  assert.equal(
    people.map(({ name }) => name),
    ['Byron, Ada "A"', 'two\nlines', 'C'],
  )
  assert.is(people.at(-1)?.line, 5)
})

test('every mistake is told with its line, and nobody is left', () => {
  const text = 'name,email,role\nA,nonsense,\n,b@x.example,\nC,c@x.example,king\nD,c@x.example,\nE\0,e@x.example,\n'
  assert.equal(issues(text), [
    'csv[2].email: line 2: "nonsense" is not a mail address',
    'csv[3].name: line 3: there is no name',
    `csv[4].role: line 4: "king" is not a role; roles are admin, instructor, builder, student, guest`,
    'csv[5].email: line 5: c@x.example stands in line 4 already',
    'csv[6].name: line 6: the name holds control characters',
  ])
  assert.equal(read(text).people, [])
})

test('what is no such list is said so in one line', () => {
  assert.match(issues('')[0] ?? '', /is empty/)
  assert.match(issues('name,email\n')[0] ?? '', /nobody/)
  assert.match(issues('a,b\n1,2')[0] ?? '', /csv\[1\]: line 1 names no column name and no column email/)
  assert.match(issues('name,email\n"open,a@x.example')[0] ?? '', /is not CSV/)
  assert.match(
    issues(new TextDecoder().decode(Buffer.from('name,email\nJos\xE9,j@x.example', 'latin1')))[0] ?? '',
    /csv\[2\]: line 2 is not UTF-8/,
  )
})

test('what spreadsheets and old machines save is read, and what can not be is told with its line', () => {
  const list =
    'nombre;correo\r\nÁda Ñúñez;ada@x.example\r\n"dos\r\nlíneas";b@x.example\r\nC;C@x.example\r\nc;c@X.example\r\n'
  const saved: Readonly<Record<string, Uint8Array>> = {
    'UTF-8': Buffer.from(list),
    'UTF-8 with its mark': Buffer.from(`\ufeff${list}`),
    'UTF-16 with its mark': Buffer.from(`\ufeff${list}`, 'utf16le'),
    'UTF-16, the other way round': Buffer.from(`\ufeff${list}`, 'utf16le').swap16(),
    'CR alone': Buffer.from(list.replaceAll('\r\n', '\r')),
    'LF alone': Buffer.from(list.replaceAll('\r\n', '\n')),
  }
  for (const [how, bytes] of Object.entries(saved)) {
    assert.equal(issues(listText(bytes)), ['csv[6].email: line 6: c@x.example stands in line 5 already'], how)
  }
  const windows = Buffer.from('name,email\nAda,a@x.example\nJos\xe9 Pe\xf1a,j@x.example\n', 'latin1')
  for (const bytes of [windows, Buffer.from(windows.toString('latin1').replaceAll('\n', '\r'), 'latin1')]) {
    assert.match(issues(listText(bytes)).join(), /^csv\[3\]: line 3 is not UTF-8/)
  }
})

test('what separates is told by the first line, so that the other separators may stand in names', () => {
  const cases = {
    'email;name\nada@x.example;Byron, Ada\n': 'Byron, Ada',
    'email\tname\nada@x.example\tByron, Ada; the first\n': 'Byron, Ada; the first',
    '"email","name"\nada@x.example,"Byron; Ada"\n': 'Byron; Ada',
    'sep=;\nemail;name\nada@x.example;Byron, Ada\n': 'Byron, Ada',
  }
  for (const [text, name] of Object.entries(cases)) assert.is(read(text).people[0]?.name, name, text)
  assert.is(read('sep=;\nemail;name\nada@x.example;Ada\n').people[0]?.line, 3)
  // Half of a name would be taken for the whole otherwise.
  assert.equal(issues('email,name\nada@x.example,Byron, Ada\nb@x.example,Bo,,\n'), [
    'csv[2]: line 2: 3 cells for 2 columns: a cell that holds the separator needs quotes',
  ])
})

test('headings that are ambiguous, UTF-16 without a mark and broken quotes are told with their line', () => {
  assert.equal(issues('Name,E-Mail,mail\nA,a@x.example,b@x.example\n'), [
    'csv[1].email: line 1 names the column email twice',
  ])
  const bare = Buffer.from('name,email\nAda,ada@x.example\n', 'utf16le')
  assert.match(issues(listText(bare)).join(), /^csv\[1\]: line 1 is not UTF-8/)
  assert.match(issues(listText(Buffer.from(bare).swap16())).join(), /^csv\[1\]: line 1 is not UTF-8/)
  assert.match(issues('name,email\nAda,ada@x.example\nB"o,b@x.example\n').join(), /^csv\[3\]: is not CSV: /)
  assert.equal(issues('name,email\nAda,a\0@x.example\n'), [
    'csv[2].email: line 2: "a\\u0000@x.example" is not a mail address',
  ])
})

test('many mistakes are cut short; 50,000 people are read, one more is refused', () => {
  const lines = (count: number, line: (n: number) => string) =>
    `name,email\n${Array.from({ length: count }, (_, n) => line(n)).join('\n')}`
  assert.is(issues(lines(1300, (n) => `P${n},none`)).length, 1001)
  assert.match(issues(lines(1300, (n) => `P${n},none`))[1000] ?? '', /300 more/)
  const startedAt = performance.now()
  assert.is(read(lines(50_000, (n) => `P${n},p${n}@x.example`)).people.length, 50_000)
  assert.match(issues(lines(50_001, (n) => `P${n},p${n}@x.example`))[0] ?? '', /more than 50000 people/)
  assert.ok(performance.now() - startedAt < 10_000)
})

test.run()
