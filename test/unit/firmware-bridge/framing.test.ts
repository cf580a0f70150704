import { encodeBlock, type Reply, ReplyFraming } from '@fernlab/firmware-bridge/scpi/framing'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('SCPI framing')
const bytesOf = (text: string) => new TextEncoder().encode(text)

const line = fc
  .stringMatching(/^[ -~]{0,40}$/)
  // A line that begins like a block is one; a carriage return at the end is part of the terminator.
  .filter((text) => !text.startsWith('#'))
  .map((text): { reply: Reply; wire: Uint8Array } => ({ reply: { kind: 'line', text }, wire: bytesOf(`${text}\n`) }))
const block = fc.uint8Array({ maxLength: 300 }).map((bytes): { reply: Reply; wire: Uint8Array } => ({
  reply: { kind: 'block', bytes },
  wire: join([encodeBlock(bytes), bytesOf('\r\n')]),
}))

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

function cut(whole: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (whole.length + 1)), whole.length].sort((a, b) => a - b)
  let from = 0
  return ends.map((end) => {
    const piece = whole.subarray(from, end)
    from = end
    return piece
  })
}

const plain = (reply: Reply) => (reply.kind === 'block' ? { kind: 'block', bytes: Array.from(reply.bytes) } : reply)

test('gives the same replies however the bytes are split or merged', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(line, block), { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 30 }),
      (sent, places) => {
        const framing = new ReplyFraming()
        const got = cut(join(sent.map((each) => each.wire)), places).flatMap((piece) => framing.push(piece))
        assert.equal(
          got.map(plain),
          sent.map((each) => plain(each.reply)),
        )
        assert.ok(framing.idle)
      },
    ),
  )
})

test('takes up again at the next line after any corruption, and never throws', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      // Corruption can announce a block; whoever waits resets after the time-out, as the session does.
      (noise, places) => {
        const framing = new ReplyFraming()
        for (const piece of cut(noise, places)) framing.push(piece)
        framing.reset()
        assert.equal(framing.push(bytesOf('+1.5E+00\n')), [{ kind: 'line', text: '+1.5E+00' }])
      },
    ),
  )
})

test('reports a malformed block once and skips to the next line', () => {
  const framing = new ReplyFraming()
  const kinds = (text: string) => framing.push(bytesOf(text)).map((reply) => reply.kind)
  assert.equal(kinds('#x12 nonsense\n1\n'), ['malformed', 'line'])
  assert.equal(kinds('#0 indefinite\n2\n'), ['malformed', 'line'])
  assert.equal(kinds('#2a5\n3\n'), ['malformed', 'line'])
  assert.equal(kinds('#\n4\n'), ['malformed', 'line'])
  assert.equal(kinds('#15hello, and more\n5\n'), ['block', 'malformed', 'line'])
})

test('leaves numbers in other bases as lines', () => {
  assert.equal(new ReplyFraming().push(bytesOf('#HFF\n#Q17\n#B01\n')), [
    { kind: 'line', text: '#HFF' },
    { kind: 'line', text: '#Q17' },
    { kind: 'line', text: '#B01' },
  ])
})

test('strips one carriage return and keeps bytes beyond ASCII one to one', () => {
  assert.equal(new ReplyFraming().push(Uint8Array.of(0xb5, 0x56, 13, 10)), [{ kind: 'line', text: 'µV' }])
})

test('refuses what is too long without keeping it', () => {
  const framing = new ReplyFraming('\n', { maxLineBytes: 10, maxBlockBytes: 20 })
  assert.equal(
    framing.push(bytesOf(`${'x'.repeat(1000)}\nok\n`)).map((reply) => reply.kind),
    ['malformed', 'line'],
  )
  assert.equal(
    framing.push(bytesOf('#9999999999')).map((reply) => reply.kind),
    ['malformed'],
  )
  assert.equal(
    framing.push(bytesOf('\nok\n')).map((reply) => reply.kind),
    ['line'],
  )
})

test('is not idle in the middle of a reply, and is after a reset', () => {
  const framing = new ReplyFraming()
  framing.push(bytesOf('1.2'))
  assert.not(framing.idle)
  framing.reset()
  assert.ok(framing.idle)
})

test('replies that end in a carriage return are cut there, with or without a line feed', () => {
  for (const end of ['\r', '\r\n']) {
    const framing = new ReplyFraming('\r')
    const replies = [...`1${end}#12ab${end}#X${end}2${end}`].flatMap((char) => framing.push(bytesOf(char)))
    assert.equal(
      replies.map((reply) => (reply.kind === 'line' ? reply.text : reply.kind)),
      ['1', 'block', 'malformed', '2'],
    )
    assert.ok(framing.idle)
  }
})

test('the end of a message ends what has no terminator, and a block that is cut short costs itself alone', () => {
  const replies = (...pieces: string[]) => {
    const framing = new ReplyFraming()
    return pieces.flatMap((piece) => [...framing.push(bytesOf(piece)), ...framing.end()].map(plain))
  }
  const one = { kind: 'line', text: '1.5' }
  assert.equal(replies('1.5', '1.5\n', '1.5\r\n', '1.5\r'), [one, one, one, one])
  // The last byte of the block is that of a terminator; without one, and with one.
  const block = { kind: 'block', bytes: [97, 10] }
  assert.equal(replies('#12a\n', '#12a\n\n', '1.5'), [block, block, one])
  assert.equal(
    replies('#15ab', '1.5').map(({ kind }) => kind),
    ['malformed', 'line'],
  )
  assert.equal(replies('', '\n'), [{ kind: 'line', text: '' }])
})

test.run()
