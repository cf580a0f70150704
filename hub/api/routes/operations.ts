import {
  readinessSchema,
  retentionChangeSchema,
  retentionSchema,
  schedulingRulesSchema,
  storageSchema,
} from '@fernlab/shared/contracts/api'
import { isLoopback } from '@fernlab/shared/programs/loopback'
import { type AddRoute, type ApiParts, requireAccess } from '../context.ts'

/** Health, readiness, metrics, storage and its rules. */
export function operationsRoutes(add: AddRoute, { maintenance, monitoring, scheduling }: ApiParts): void {
  add(
    {
      method: 'get',
      path: '/healthz',
      tag: 'Operations',
      summary: 'Whether the process answers; asks nothing of the database',
      access: 'public',
      answer: { what: 'It does', type: 'text/plain' },
    },
    ({ c }) => c.text('ok\n', 200, { 'cache-control': 'no-store' }),
  )
  add(
    {
      method: 'get',
      path: '/readyz',
      tag: 'Operations',
      summary: 'Whether everything that a run needs is there; 503 when not',
      access: 'public',
      answer: { schema: readinessSchema, what: 'All that was checked is well' },
      otherAnswers: [{ status: 503, schema: readinessSchema, what: 'Something is not' }],
    },
    async ({ c }) => {
      const readiness = await monitoring.readiness()
      return c.json(readiness, readiness.ready ? 200 : 503, { 'cache-control': 'no-store' })
    },
  )
  add(
    {
      method: 'get',
      path: '/metrics',
      tag: 'Operations',
      summary:
        'Metrics in the text form of Prometheus; for an admin (a token needs the scope `admin`), or from this machine',
      access: 'public',
      errors: ['token-refused', 'sign-in-needed', 'second-factor-needed', 'forbidden', 'scope-missing'],
      answer: { what: 'Metrics', type: 'text/plain' },
    },
    async ({ c }) => {
      // Behind a proxy that nobody declared, everybody would seem to be on this machine.
      const proxied = c.req.header('x-forwarded-for') !== undefined || c.req.header('forwarded') !== undefined
      if (proxied || !isLoopback(c.get('address'))) requireAccess(c.get('caller'), 'metrics.read')
      const { type, text } = await monitoring.metrics()
      return c.body(text, 200, { 'content-type': type, 'cache-control': 'no-store' })
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/storage',
      tag: 'Operations',
      summary: 'How full the disk is, and what is kept how long',
      access: 'storage.read',
      answer: { schema: storageSchema, what: 'Storage' },
    },
    async ({ c }) => c.json(await maintenance.storage()),
  )
  add(
    {
      method: 'put',
      path: '/api/v1/settings/retention',
      tag: 'Operations',
      summary: 'Choose how many days samples and runs are kept; null keeps them for good',
      access: 'settings.change',
      body: retentionChangeSchema,
      answer: { schema: retentionSchema, what: 'The rules' },
    },
    async ({ c, body, caller }) => {
      await maintenance.setRetention(body, caller.personId)
      return c.json(await maintenance.retention())
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/settings/scheduling',
      tag: 'Operations',
      summary: 'What waiting is worth, and how long bench time counts',
      access: 'storage.read',
      answer: { schema: schedulingRulesSchema, what: 'The rules' },
    },
    async ({ c }) => c.json(await scheduling.rules()),
  )
  add(
    {
      method: 'put',
      path: '/api/v1/settings/scheduling',
      tag: 'Operations',
      summary: 'Choose what waiting is worth, and how long bench time counts; the queue is ordered anew at once',
      access: 'settings.change',
      body: schedulingRulesSchema,
      answer: { schema: schedulingRulesSchema, what: 'The rules' },
    },
    async ({ c, body, caller }) => {
      await scheduling.change(body, caller.personId)
      return c.json(await scheduling.rules())
    },
  )
}
