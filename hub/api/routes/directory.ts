import { page } from '@fernlab/shared/contracts/api'
import { nameSchema } from '@fernlab/shared/contracts/common'
import {
  askServiceTokenSchema,
  directoryEntrySchema,
  directorySearchSchema,
  directoryServiceSchema,
  givenServiceTokenSchema,
  namedServiceSchema,
} from '@fernlab/shared/contracts/directory'
import { z } from '@hono/zod-openapi'
import type { AddRoute, ApiParts } from '../context.ts'
import { pageOf, pageQuery } from '../paging.ts'
import { notFound, refusal } from '../problems.ts'
import { safeDecode } from '../static-files.ts'

const path = '/api/v1/directory'

/** Where services are and how they stand, for whoever may see benches. */
export function directoryRoutes(
  add: AddRoute,
  { directory, serviceTokens }: Pick<ApiParts, 'directory' | 'serviceTokens'>,
): void {
  add(
    {
      method: 'get',
      path,
      tag: 'Services',
      summary: 'Services of all nodes: where each is, and how it stands',
      description:
        '`name` is the whole name; a `pattern` has `*` for any text and `?` for one letter. `tag` and `anyTag` may be given several times: a service has all of the one, and one of the other. Who has locked a service is named to those who may see people.',
      access: 'services.read',
      query: pageQuery.extend(directorySearchSchema.shape),
      answer: { schema: page(directoryEntrySchema), what: 'Services by node and name' },
    },
    async ({ c, query, caller }) => {
      const { limit, cursor, ...search } = query
      return c.json(pageOf(await directory.list(search, caller), { limit, cursor }))
    },
  )
  add(
    {
      method: 'get',
      path: `${path}/{service}`,
      tag: 'Services',
      summary: 'A service, with what it can do',
      description: 'By its name, or as `<node>/<service>` where several nodes have one of that name.',
      access: 'services.read',
      errors: ['service-ambiguous', 'service-unknown'],
      params: z.object({ service: z.string().max(400) }),
      deep: true,
      answer: { schema: directoryServiceSchema, what: 'The service' },
    },
    async ({ c, caller }) => {
      const raw = c.req.path.slice(path.length + 1)
      const named = namedServiceSchema.safeParse(safeDecode(raw))
      if (!named.success) throw notFound(`the service ${raw.slice(0, 400)}`)
      return c.json(await directory.service(named.data, caller))
    },
  )
  add(
    {
      method: 'post',
      path: `${path}/tokens`,
      tag: 'Services',
      summary: 'A token with which a node takes one’s calls of its services',
      description:
        'For services of one node, by name, or `<bench>.*` for all parts of a bench. Everybody may read; who may drive benches uses and locks services that are no part of a bench, and with an own lease of a bench its parts; whoever has a live session uses the parts of its bench by `session/<id>` in place of a lease; who may maintain benches ends locks of others. It lasts an hour at most, no longer than the token by which it is asked for, and ends with that, with the sign-in, with the lease or the session, and when the person may no longer have what it gives.',
      access: 'services.read',
      errors: [
        'lease-ended',
        'not-of-session',
        'service-ambiguous',
        'service-tokens-too-many',
        'service-unknown',
        'services-apart',
        'session-not-active',
      ],
      body: askServiceTokenSchema,
      idempotency: 'secret',
      answer: { status: 201, schema: givenServiceTokenSchema, what: 'The token, shown once, and where to send it' },
    },
    async ({ c, body, caller }) => c.json(await serviceTokens.give(caller, body), 201),
  )
  add(
    {
      method: 'get',
      path: '/api/v1/nodes/{node}/services',
      tag: 'Services',
      summary: 'The WebSocket that leads to a node’s services, where there is no nearer way',
      description:
        'With the subprotocol `fernlab.rpc.1.cbor` or `fernlab.rpc.1.json`; what is said on it goes on to the node, unread, which asks for a token as it does straight. One person has at most 32 of them.',
      access: 'services.read',
      errors: ['upgrade-needed', 'node-offline', 'too-many-attempts'],
      params: z.object({ node: nameSchema }),
      answer: { status: 101, what: 'The connection is a WebSocket from here on' },
    },
    async () => {
      throw refusal('upgrade-needed', 'this address is a WebSocket: connect to it as one')
    },
  )
}
