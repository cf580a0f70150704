import { noPictures, tookPicture, whyNoPicture } from '@fernlab/hub/results/pictures-taken'
import { MOST_STILL_BYTES, MOST_STILLS_BYTES } from '@fernlab/shared/contracts/pictures'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the pictures of an attempt')

test('their bytes are counted, over all its cameras', () => {
  const taken = noPictures()
  const jpeg = new Uint8Array(MOST_STILL_BYTES)
  const rows: Record<string, number> = { 'view.pictures': 0, 'side.pictures': 0 }
  let refusal: string | undefined
  let count = 0
  for (; refusal === undefined; count++) {
    const stream = count % 2 === 0 ? 'view.pictures' : 'side.pictures'
    const doc = { stream, number: rows[stream] ?? 0, time: 1, jpeg }
    refusal = whyNoPicture(taken, rows[stream], doc)
    if (refusal !== undefined) break
    tookPicture(taken, doc)
    rows[stream] = doc.number + 1
  }
  assert.is(count, MOST_STILLS_BYTES / MOST_STILL_BYTES)
  assert.match(refusal ?? '', /more than the 268435456 bytes/)
})

test.run()
