import {
  changePersonSchema,
  createdInvitationSchema,
  createdTokenSchema,
  createInvitationSchema,
  createTokenSchema,
  invitationSchema,
  page,
  personSchema,
  tokenSchema,
} from '@fernlab/shared/contracts/api'
import { nameSchema } from '@fernlab/shared/contracts/common'
import { roles } from '@fernlab/shared/contracts/people'
import { z } from '@hono/zod-openapi'
import { mayGrant } from '../../accounts/caller.ts'
import type { AddRoute, ApiParts } from '../context.ts'
import { cursorAfter, cursorId, pageOf, pageQuery } from '../paging.ts'
import { notFound, refusal } from '../problems.ts'

/** Scopes that let a token do more than a student may. */
const staffScopes = ['builder', 'admin', 'mqtt:read', 'mqtt:status']

/** API tokens and people. */
export function peopleRoutes(add: AddRoute, { accounts, groups, runs, fleet, clock }: ApiParts): void {
  add(
    {
      method: 'get',
      path: '/api/v1/tokens',
      tag: 'People',
      summary: 'One’s own API tokens, newest first',
      access: 'tokens.read',
      query: pageQuery,
      answer: { schema: page(tokenSchema), what: 'Tokens, without their secrets' },
    },
    async ({ c, query, caller }) => c.json(pageOf(await accounts.tokens(caller.personId), query, 'newest first')),
  )
  add(
    {
      method: 'post',
      path: '/api/v1/tokens',
      tag: 'People',
      summary: 'Make an API token',
      access: 'tokens.manage',
      errors: ['person-unknown'],
      body: createTokenSchema,
      idempotency: 'secret',
      answer: { status: 201, schema: createdTokenSchema, what: 'The token with its secret, shown once' },
    },
    async ({ c, body, caller }) => {
      const staff = caller.role === 'admin' || caller.role === 'builder' || caller.role === 'instructor'
      const beyond = body.scopes.filter((scope) => !mayGrant(caller, scope) || (!staff && staffScopes.includes(scope)))
      if (beyond.length > 0) {
        throw refusal('forbidden', `you may not make a token with the scope ${beyond.join(', ')}`)
      }
      const { tokenExpiresAt: ends } = caller
      const { expiresInDays: days } = body
      if (ends !== undefined && days !== undefined && clock.now() + days * 86_400_000 > ends) {
        const until = new Date(ends).toISOString()
        throw refusal(
          'forbidden',
          `a token makes none that lasts longer than itself, until ${until}: leave out expiresInDays, or sign in with the password`,
        )
      }
      return c.json(await accounts.createToken(caller, body), 201)
    },
  )
  add(
    {
      method: 'delete',
      path: '/api/v1/tokens/{id}',
      tag: 'People',
      summary: 'Revoke an API token at once',
      access: 'tokens.manage',
      params: z.object({ id: z.string().max(63) }),
      answer: { status: 204, what: 'It works no more' },
    },
    async ({ c, params, caller }) => {
      if (!(await accounts.revokeToken(caller.personId, params.id))) throw notFound(`the token ${params.id}`)
      return c.body(null, 204)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/tokens/revoke-all',
      tag: 'People',
      summary: 'Revoke all of one’s own API tokens at once, also the one that asks',
      access: 'tokens.manage',
      answer: { status: 204, what: 'None works any more' },
    },
    async ({ c, caller }) => {
      await accounts.revokeTokens(caller, caller.personId)
      return c.body(null, 204)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/users/{id}/revoke-tokens',
      tag: 'People',
      summary: 'Revoke all API tokens of a person at once',
      access: 'people.manage',
      params: z.object({ id: z.string().max(63) }),
      answer: { status: 204, what: 'None works any more; the person stays signed in' },
    },
    async ({ c, params, caller }) => {
      await accounts.revokeTokens(caller, params.id)
      return c.body(null, 204)
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/users',
      tag: 'People',
      summary: 'People',
      access: 'people.read',
      errors: ['group-unknown'],
      query: pageQuery.extend({
        q: z.string().max(100).optional().describe('A part of the name or of the address'),
        group: nameSchema.optional().describe('Those in this group or one within it'),
        role: z.enum(roles).optional().describe('Those with this role'),
      }),
      answer: { schema: page(personSchema), what: 'People by id' },
    },
    async ({ c, query, caller }) => {
      const after = cursorId(query.cursor)
      const { items, cursor } = await accounts.people({
        limit: query.limit,
        ...(after === undefined ? {} : { cursor: after }),
        ...(query.q === undefined || query.q === '' ? {} : { search: query.q }),
        ...(query.role === undefined ? {} : { role: query.role }),
        ...(query.group === undefined ? {} : { among: await groups.peopleOf(caller, query.group) }),
      })
      return c.json({ items, ...(cursor === undefined ? {} : { cursor: cursorAfter(cursor) }) })
    },
  )
  add(
    {
      method: 'put',
      path: '/api/v1/users/{id}',
      tag: 'People',
      summary: 'Give a person another role, at once',
      access: 'people.manage',
      errors: ['last-admin'],
      params: z.object({ id: z.string().max(63) }),
      body: changePersonSchema,
      answer: { schema: personSchema, what: 'The person' },
    },
    async ({ c, params, body, caller }) => c.json(await accounts.setRole(caller, params.id, body.role)),
  )
  add(
    {
      method: 'post',
      path: '/api/v1/users/{id}/suspend',
      tag: 'People',
      summary: 'Shut a person out at once: sign-ins, connections, runs and live sessions end, tokens rest',
      description:
        'Bookings to come are kept, and given back by the hub when their time comes while the person is suspended.',
      access: 'people.manage',
      errors: ['last-admin', 'suspend-yourself'],
      params: z.object({ id: z.string().max(63) }),
      answer: { status: 204, what: 'The person is shut out' },
    },
    async ({ c, params, caller }) => {
      await accounts.suspension.suspend(caller, params.id)
      await runs.stopAllOf(params.id)
      await fleet.releaseAllOf(params.id, caller.personId)
      return c.body(null, 204)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/users/{id}/restore',
      tag: 'People',
      summary: 'Let a suspended person in again: they sign in anew, tokens and bookings are as before',
      access: 'people.manage',
      params: z.object({ id: z.string().max(63) }),
      answer: { status: 204, what: 'The person may sign in' },
    },
    async ({ c, params, caller }) => {
      await accounts.suspension.restore(caller, params.id)
      return c.body(null, 204)
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/invitations',
      tag: 'People',
      summary: 'Invitations, newest first',
      access: 'people.invite',
      query: pageQuery,
      answer: { schema: page(invitationSchema), what: 'Invitations, without their links' },
    },
    async ({ c, query, caller }) => {
      const before = cursorId(query.cursor)
      const { items, more } = await accounts.invitations.list(caller, {
        limit: query.limit,
        ...(before === undefined ? {} : { before }),
      })
      const last = items.at(-1)
      const cursor = more && last !== undefined ? { cursor: cursorAfter(last.id) } : {}
      return c.json({ items, ...cursor })
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/invitations',
      tag: 'People',
      summary: 'Make a link by which people make accounts of their own',
      access: 'people.invite',
      errors: ['invitation-invalid', 'group-unknown'],
      body: createInvitationSchema,
      idempotency: 'secret',
      answer: { status: 201, schema: createdInvitationSchema, what: 'The invitation with its link, shown once' },
    },
    async ({ c, body, caller }) => c.json(await accounts.invitations.create(caller, body), 201),
  )
  add(
    {
      method: 'delete',
      path: '/api/v1/invitations/{id}',
      tag: 'People',
      summary: 'Take an invitation back; who has joined by it stays',
      access: 'people.invite',
      params: z.object({ id: z.string().max(63) }),
      answer: { status: 204, what: 'Nobody joins by it any more' },
    },
    async ({ c, params, caller }) => {
      await accounts.invitations.revoke(caller, params.id)
      return c.body(null, 204)
    },
  )
}
