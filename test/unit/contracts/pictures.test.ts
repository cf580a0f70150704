import { nodeDocumentSchema } from '@fernlab/shared/contracts/documents'
import { MOST_STILL_BYTES, pictureFile, pictureStream, readPictureFile } from '@fernlab/shared/contracts/pictures'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('pictures of a run')

test('the name of a picture says which it is', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,62}$/), fc.nat({ max: 99_998 }), (part, number) => {
      assert.equal(readPictureFile(pictureFile(part, number)), { part, number })
    }),
  )
  assert.is(pictureFile('view', 0), 'view-0001.jpg')
  assert.is(pictureStream('view'), 'view.pictures')
})

test('no other name is one', () => {
  for (const name of [
    'view-0000.jpg',
    'view-00001.jpg',
    'view-1.jpg',
    'view-0001.png',
    '../view-0001.jpg',
    'a b-0001.jpg',
    '',
  ]) {
    assert.is(readPictureFile(name), undefined, name)
  }
})

const picture = (jpeg: Uint8Array) => ({
  runId: 'r',
  attempt: 1,
  seq: 2,
  name: 'picture',
  doc: { stream: 'view.pictures', number: 0, time: 1, jpeg },
})

test('a document of a picture is a JPEG file that is not too long', () => {
  const jpeg = (bytes: number) => Uint8Array.of(0xff, 0xd8, ...new Array(8).fill(0)).slice(0, bytes)
  assert.is(nodeDocumentSchema.safeParse(picture(jpeg(10))).success, true)
  assert.is(nodeDocumentSchema.safeParse(picture(jpeg(2))).success, false)
  assert.is(nodeDocumentSchema.safeParse(picture(Uint8Array.of(1, 2, 3, 4))).success, false)
  const long = new Uint8Array(MOST_STILL_BYTES + 1)
  long.set([0xff, 0xd8])
  assert.match(nodeDocumentSchema.safeParse(picture(long)).error?.issues[0]?.message ?? '', /JPEG file of at most/)
})

test.run()
