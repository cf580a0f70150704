import { pictureMessage } from '@fernlab/shared/contracts/picture-messages'
import { packPictures, unpackPictures } from '@fernlab/shared/contracts/recording-pieces'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { filmsIn, joinRecordings, nearestFrame } from '../../../hub/web/src/run/film.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a film of a session')

test('the picture that is nearest to a moment is found, however they lie', () => {
  const times = fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(times, fc.integer({ min: -100, max: 10_100 }), (unsorted, moment) => {
      const [film] = filmsIn({ cameras: [{ part: 'view', bytes: 1, pieces: [{ number: 0, times: unsorted }] }] })
      const frames = film?.frames ?? []
      const found = frames[nearestFrame(frames, moment)]
      const least = Math.min(...unsorted.map((time) => Math.abs(time - moment)))
      assert.is(Math.abs((found?.time ?? Number.NaN) - moment), least)
      assert.is(unsorted[found?.index ?? -1], found?.time)
    }),
  )
  assert.is(nearestFrame([], 1), -1)
})

test('pictures of several pieces are one film', () => {
  const pieces = [
    { number: 0, times: [1, 1.1] },
    { number: 2, times: [3] },
  ]
  const [film] = filmsIn({ cameras: [{ part: 'view', bytes: 1, pieces }] })
  assert.equal(film?.frames, [
    { time: 1, piece: 0, index: 0 },
    { time: 1.1, piece: 0, index: 1 },
    { time: 3, piece: 2, index: 0 },
  ])
})

test('what has come since joins what is known, camera by camera', () => {
  const piece = (number: number) => ({ number, times: [number] })
  const known = { attempt: 1, cursor: '4', cameras: [{ part: 'view', bytes: 10, pieces: [piece(0), piece(1)] }] }
  const cameras = [
    { part: 'side', bytes: 3, pieces: [piece(0)] },
    { part: 'view', bytes: 5, pieces: [piece(2)] },
  ]
  assert.equal(joinRecordings(known, { attempt: 1, cursor: '7', cameras }), {
    attempt: 1,
    cursor: '7',
    cameras: [
      { part: 'view', bytes: 15, pieces: [piece(0), piece(1), piece(2)] },
      { part: 'side', bytes: 3, pieces: [piece(0)] },
    ],
  })
})

test('a piece gives back its pictures, and of one that is cut those that are whole', () => {
  const jpegs = [Uint8Array.of(0xff, 0xd8, 1), Uint8Array.of(0xff, 0xd8, 2, 3)]
  const piece = packPictures(jpegs.map((jpeg, i) => pictureMessage({ time: i + 0.5, jpeg })))
  const pictures = [
    { time: 0.5, jpeg: [...(jpegs[0] ?? [])] },
    { time: 1.5, jpeg: [...(jpegs[1] ?? [])] },
  ]
  const plain = (bytes: Uint8Array) => unpackPictures(bytes).map(({ time, jpeg }) => ({ time, jpeg: [...jpeg] }))
  assert.equal(plain(piece), pictures)
  for (let length = 0; length < piece.length; length++) {
    assert.equal(plain(piece.subarray(0, length)), length < 15 ? [] : pictures.slice(0, 1), String(length))
  }
})

test.run()
