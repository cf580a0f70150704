import { mainStream } from '@fernlab/hub/results/results'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the stream that is meant where none is named')

test('is primary, else that with most rows, and one of pictures only where there is nothing else', () => {
  assert.is(mainStream(['sweep', 'primary'], { sweep: 9, primary: 1 }), 'primary')
  assert.is(mainStream(['sweep', 'decay'], { sweep: 3, decay: 5 }), 'decay')
  assert.is(mainStream(['view.pictures', 'sweep'], { 'view.pictures': 5, sweep: 3 }), 'sweep')
  assert.is(mainStream(['view.pictures'], { 'view.pictures': 5 }), 'view.pictures')
  assert.is(mainStream([], {}), undefined)
})

test.run()
