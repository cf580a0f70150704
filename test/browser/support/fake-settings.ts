/** The settings of the stand-in for the hub. */
import type { SignInRules } from '@fernlab/shared/contracts/sign-in'
import type { UsageRules } from '@fernlab/shared/contracts/usage'
import { type Area, json } from './fake-answers.ts'
import type { FakeState } from './fake-state.ts'
import { fakeUsagePreview } from './fake-usage.ts'

/** The objects of `/api/v1/settings` and `/api/v1/storage`. */
export function fakeSettings(hub: Pick<FakeState, 'signInRules'>): Area {
  let labServers = { names: false }
  let usageRules: UsageRules = { addressDays: 90, nameDays: null }
  let scheduling = { stepMinutes: 10, windowHours: 168, graceMinutes: 10, warningMinutes: 5 }
  let retention: { dataDays: number | null; runDays: number | null } = { dataDays: 365, runDays: null }

  return ({ call, method, path, body }) => {
    if (call === 'GET /api/v1/storage') {
      return json({
        databaseBytes: 184_000_000,
        freeBytes: 22_400_000_000,
        acceptingRuns: true,
        retention,
      })
    }
    if (path === '/api/v1/settings/sign-in') {
      if (method === 'PUT') hub.signInRules = body as SignInRules
      return json(hub.signInRules)
    }
    if (path === '/api/v1/settings/lab-servers') {
      if (method === 'PUT') labServers = body as typeof labServers
      return json(labServers)
    }
    if (path === '/api/v1/settings/usage') {
      if (method === 'PUT') usageRules = body as UsageRules
      return json(usageRules)
    }
    if (call === 'POST /api/v1/settings/usage/preview') return json(fakeUsagePreview(body as UsageRules))
    if (call === 'GET /api/v1/settings/scheduling') return json(scheduling)
    if (call === 'PUT /api/v1/settings/scheduling') {
      scheduling = body as typeof scheduling
      return json(body)
    }
    if (call === 'PUT /api/v1/settings/retention') {
      retention = body as typeof retention
      return json(body)
    }
    return undefined
  }
}
