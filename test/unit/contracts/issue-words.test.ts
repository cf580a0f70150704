import { boundWords } from '@fernlab/shared/contracts/issue-words'
import { checkSchema } from '@fernlab/shared/contracts/yaml-file'
import * as assert from 'uvu/assert'
import * as z from 'zod'
import { suite } from '../../support/suite.ts'

const test = suite('bounds of a schema in words')

const wordsOf = (schema: z.ZodType, value: unknown) => schema.safeParse(value).error?.issues.map(boundWords)

test('numbers, texts, lists and choices say what they may be', () => {
  for (const [schema, value, words] of [
    [z.int().min(64), 20, 'must be 64 or more'],
    [z.number().max(744), 900, 'must be 744 or less'],
    [z.number().positive(), 0, 'must be above 0'],
    [z.number().lt(1), 1, 'must be below 1'],
    [z.string().max(3), 'four', 'must have 3 characters at most'],
    [z.string().min(1), '', 'must not be empty'],
    [z.string().min(10), 'short', 'must have 10 characters or more'],
    [z.array(z.string()).max(1), ['a', 'b'], 'must have 1 item at most'],
    [z.enum(['up', 'gone']), 'sleepy', 'must be one of up, gone'],
    [z.literal(true), false, 'must be true'],
    [z.string(), 1, undefined],
  ] as const)
    assert.equal(wordsOf(schema, value), [words])
})

test('of a file also what is there instead; words of the schema’s own stay', () => {
  const said = (schema: z.ZodType, value: unknown) => checkSchema(value, schema).findings.map(({ message }) => message)
  assert.equal(said(z.object({ memoryMB: z.int().min(64) }), { memoryMB: 20 }), ['must be 64 or more, not 20'])
  assert.equal(said(z.object({ name: z.string().min(1, 'has to be said') }), { name: '' }), ['has to be said'])
})

test.run()
