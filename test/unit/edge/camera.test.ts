import { cameraConfigSchema } from '@fernlab/edge/drivers/camera/config'
import { cameraCommands } from '@fernlab/edge/drivers/camera/ffmpeg'
import { measuresOf } from '@fernlab/edge/drivers/camera/measures'
import { createParts } from '@fernlab/edge/drivers/camera/parts'
import { createPictures } from '@fernlab/edge/drivers/camera/pictures'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('camera')

const part = (file: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`--ffmpeg\r\nContent-type: image/jpeg\r\nContent-length: ${file.length}\r\n\r\n`),
    file,
    Buffer.from('\r\n'),
  ])

test('pulls the same pictures out, however the bytes are split', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 40 }),
      (files, cuts) => {
        const stream = Buffer.concat(files.map((file) => part(Buffer.from(file))))
        const parts = createParts()
        const found: Buffer[] = []
        for (let at = 0, i = 0; at < stream.length; i++) {
          const length = cuts[i % cuts.length] ?? 1
          found.push(...parts.take(stream.subarray(at, at + length)))
          at += length
        }
        assert.equal(
          found.map((file) => [...file]),
          files.map((file) => [...file]),
        )
      },
    ),
  )
})

test('gives no picture that has not come to its end', () => {
  const whole = part(Buffer.alloc(100, 7))
  const parts = createParts()
  assert.equal(parts.take(whole.subarray(0, whole.length - 3)), [])
  assert.is(parts.take(whole.subarray(whole.length - 3)).length, 1)
})

test('refuses what has no length, no end of its head, or a picture beyond measure', () => {
  for (const [bytes, expected] of [
    ['--x\r\nContent-type: image/jpeg\r\n\r\n', /without a length/],
    ['x'.repeat(2000), /without an end/],
    ['--x\r\nContent-length: 99999999\r\n\r\n', /99999999 bytes/],
  ] as const) {
    let thrown: unknown
    try {
      createParts().take(Buffer.from(bytes))
    } catch (error) {
      thrown = error
    }
    assert.match((thrown as LabError).message, expected)
  }
})

test('measures brightness, contrast and change', () => {
  const half = Uint8Array.from([0, 255])
  assert.equal(measuresOf(half, undefined), { brightness: 50, contrast: 50, change: 0 })
  assert.equal(measuresOf(half, Uint8Array.from([255, 255])), { brightness: 50, contrast: 50, change: 50 })
  assert.equal(measuresOf(Uint8Array.from([0, 0]), half), { brightness: 0, contrast: 0, change: 50 })
})

const at = (time: number) => ({ jpeg: new Uint8Array(), time })

test('gives who is slow the newest picture, and holds up nobody for it', async () => {
  const pictures = createPictures(10)
  const ending = new AbortController()
  const slow = pictures.follow(ending.signal)[Symbol.asyncIterator]()
  const first = slow.next()
  await Promise.resolve()
  pictures.add(at(1))
  assert.is((await first).value.time, 1)
  for (const time of [1.1, 1.2, 1.3]) pictures.add(at(time))
  assert.is((await slow.next()).value.time, 1.3)
  const last = slow.next()
  ending.abort()
  assert.is((await last).done, true)
})

test('lets no more through than the limit, and all of a camera that wavers within it', async () => {
  const shownOf = async (rateLimitHz: number, times: readonly number[]) => {
    const pictures = createPictures(10)
    pictures.rateLimitHz = rateLimitHz
    const ending = new AbortController()
    const seen: number[] = []
    const looking = (async () => {
      for await (const { time } of pictures.follow(ending.signal)) seen.push(time)
    })()
    for (const time of times) {
      pictures.add(at(time))
      await new Promise((done) => setImmediate(done))
    }
    ending.abort()
    await looking
    return seen
  }
  const wavering = [0, 0.11, 0.19, 0.31, 0.4]
  assert.equal(await shownOf(10, wavering), wavering)
  assert.equal(await shownOf(2, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), [0, 0.4])
})

test('gives up waiting for a picture when asked to', async () => {
  const ending = new AbortController()
  const next = createPictures(10).next(ending.signal)
  ending.abort(new Error('over'))
  assert.is(await next.catch((error: Error) => error.message), 'over')
})

const commands = (source: object) => cameraCommands(cameraConfigSchema.parse({ source }))

test('asks each kind of camera for what it is set to', () => {
  const usb = commands({ kind: 'v4l2', path: '/dev/video2', format: 'mjpeg' }).ffmpeg.join(' ')
  assert.match(usb, /-f v4l2 -input_format mjpeg -framerate 15 -video_size 640x480 -i \/dev\/video2 /)
  const { before, ffmpeg } = commands({ kind: 'pi', camera: 1 })
  assert.match((before ?? []).join(' '), /^rpicam-vid --camera 1 .*--width 640 --height 480 --framerate 15 /)
  assert.match(ffmpeg.join(' '), /-f rawvideo -pix_fmt yuv420p -framerate 15 -video_size 640x480 -i - /)
  assert.match(
    commands({ kind: 'network', url: 'rtsp://h/1' }).ffmpeg.join(' '),
    /-rtsp_transport tcp .*-i rtsp:\/\/h\/1 /,
  )
})

test('takes no address that is a file, has a password in it, or would be read as an option', () => {
  for (const url of [
    'http://cam/video.cgi?user=a&pwd=b',
    'file:///etc/passwd',
    '-i',
    'http://a:b@h/',
    'concat:/etc/passwd',
    '/etc/passwd',
  ]) {
    const { success } = cameraConfigSchema.safeParse({ source: { kind: 'network', url } })
    assert.is(success, false, url)
  }
  assert.is(cameraConfigSchema.safeParse({ source: { kind: 'v4l2', path: 'video0' } }).success, false)
  assert.is(cameraConfigSchema.safeParse({ source: { kind: 'network', url: 'http://cam/v?size=2' } }).success, true)
  assert.is(cameraConfigSchema.safeParse({ source: { kind: 'pi' }, width: 800 }).success, false)
})

test.run()
