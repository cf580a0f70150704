import type { Me } from '@fernlab/shared/contracts/api'
import type { AuditFilter } from '@fernlab/shared/contracts/audit'
import type { QueryClient } from '@tanstack/react-query'
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router'
import { type Api, ApiProblem, isSignInNeeded } from './api/client.ts'
import { meQuery } from './api/queries.ts'
import type { BenchChoice } from './benches/bench-choice.ts'
import type { BookingsSearch } from './bookings/bookings-page.tsx'
import type { CalendarSearch } from './bookings/calendar-page.tsx'
import type { CatalogueSearch } from './catalogue/catalogue-page.tsx'
import { Frame } from './frame/frame.tsx'
import type { LabSearch } from './lab/lab-page.tsx'
import { withTexts } from './language/late-texts.ts'
import { NotFound } from './notices/not-found.tsx'
import { PageFailed } from './notices/page-failed.tsx'
import type { RunsSearch } from './runs/runs-page.tsx'
import type { ServiceChoice } from './services/service-choice.ts'
import type { DirectSearch } from './usage/direct-queries.ts'
import type { UsageSearch } from './usage/usage-page.tsx'
import type { UsesSearch } from './usage/uses-queries.ts'

interface Context {
  readonly api: Api
  readonly client: QueryClient
}

const root = createRootRouteWithContext<Context>()({
  component: Outlet,
  notFoundComponent: () => (
    <Frame>
      <NotFound />
    </Frame>
  ),
})
const framed = createRoute({ getParentRoute: () => root, id: 'framed', component: () => <Frame /> })

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** The named parts of an address's search that are text. */
function pick<Name extends string>(
  search: Record<string, unknown>,
  names: readonly Name[],
): Partial<Record<Name, string>> {
  return Object.fromEntries(
    names.map((name) => [name, text(search[name])]).filter((entry) => entry[1] !== undefined),
  ) as Partial<Record<Name, string>>
}

/** Sends a stranger to sign-in, and who must set something up first to that, and back here afterwards; while the hub is out of reach, the cached page stays. */
async function signedIn({ context, location }: { context: Context; location: { href: string } }): Promise<void> {
  const mine = meQuery(context.api)
  const isOver = () => isSignInNeeded(context.client.getQueryState(mine.queryKey)?.error)
  // What was over may have been begun again in another window.
  const asked = isOver()
    ? context.client.fetchQuery({ ...mine, staleTime: 0, retry: false })
    : context.client.ensureQueryData(mine)
  const me = await asked.catch(() => undefined)
  if (me === null || isOver()) throw redirect({ to: '/sign-in', search: { next: location.href } })
  if (me?.mustSetUp !== undefined) throw redirect({ to: '/second-factor', search: { next: location.href } })
}

/** Keeps others than these roles out, with one notice and nothing else. */
const onlyFor =
  (...roles: readonly Me['role'][]) =>
  async (at: Parameters<typeof signedIn>[0]): Promise<void> => {
    await signedIn(at)
    const me = at.context.client.getQueryData(meQuery(at.context.api).queryKey)
    if (me && !roles.includes(me.role)) throw new ApiProblem(403, { code: 'forbidden' })
  }

const home = createRoute({
  getParentRoute: () => framed,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/labs', replace: true })
  },
})
const labs = createRoute({
  getParentRoute: () => framed,
  path: '/labs',
  validateSearch: (search): CatalogueSearch => pick(search, ['q', 'subject', 'level']),
  component: lazyRouteComponent(() => withTexts([], () => import('./catalogue/catalogue-page.tsx'))),
})
const lab = createRoute({
  getParentRoute: () => framed,
  path: '/labs/$labId',
  validateSearch: (search): LabSearch => pick(search, ['protocol', 'from', 'drive', 'bench']),
  component: lazyRouteComponent(() => withTexts([], () => import('./lab/lab-page.tsx'))),
})
const runs = createRoute({
  getParentRoute: () => framed,
  path: '/runs',
  validateSearch: (search): RunsSearch => pick(search, ['lab', 'state', 'whose']),
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => withTexts([], () => import('./runs/runs-page.tsx'))),
})
const calendar = createRoute({
  getParentRoute: () => framed,
  path: '/calendar',
  validateSearch: (search): CalendarSearch => pick(search, ['lab', 'day', 'view']),
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => withTexts(['bookings'], () => import('./bookings/calendar-page.tsx'))),
})
const bookings = createRoute({
  getParentRoute: () => framed,
  path: '/calendar/bookings',
  validateSearch: (search): BookingsSearch => pick(search, ['whose', 'show', 'lab', 'change', 'at', 'minutes']),
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => withTexts(['bookings'], () => import('./bookings/bookings-page.tsx'))),
})
const run = createRoute({
  getParentRoute: () => framed,
  path: '/runs/$runId',
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => withTexts([], () => import('./run/run-page.tsx'))),
})
const recurringList = createRoute({
  getParentRoute: () => framed,
  path: '/recurring',
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => withTexts(['recurring'], () => import('./recurring/recurring-list-page.tsx'))),
})
const recurring = createRoute({
  getParentRoute: () => framed,
  path: '/recurring/$recurringId',
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => withTexts(['recurring'], () => import('./recurring/recurring-page.tsx'))),
})
const session = createRoute({
  getParentRoute: () => framed,
  path: '/sessions/$sessionId',
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => withTexts(['session'], () => import('./session/session-page.tsx'))),
})
const visitLab = createRoute({
  getParentRoute: () => framed,
  path: '/sessions/$sessionId/visit',
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => withTexts(['session'], () => import('./session/visit-lab-page.tsx'))),
})
const joinSession = createRoute({
  getParentRoute: () => framed,
  path: '/sessions/join',
  component: lazyRouteComponent(() => withTexts(['session'], () => import('./session/join-session-page.tsx'))),
})
const benches = createRoute({
  getParentRoute: () => framed,
  path: '/benches',
  validateSearch: (search): BenchChoice => pick(search, ['q', 'state', 'lab']),
  beforeLoad: onlyFor('admin', 'instructor', 'builder'),
  component: lazyRouteComponent(() => withTexts(['staff'], () => import('./benches/benches-page.tsx'))),
})
const bench = createRoute({
  getParentRoute: () => framed,
  path: '/benches/$benchId',
  beforeLoad: onlyFor('admin', 'instructor', 'builder'),
  component: lazyRouteComponent(() => withTexts(['staff'], () => import('./benches/bench-page.tsx'))),
})
const nodes = createRoute({
  getParentRoute: () => framed,
  path: '/nodes',
  validateSearch: (search): { q?: string } => pick(search, ['q']),
  beforeLoad: onlyFor('admin', 'instructor', 'builder'),
  component: lazyRouteComponent(() => withTexts(['staff'], () => import('./nodes/nodes-page.tsx'))),
})
const node = createRoute({
  getParentRoute: () => framed,
  path: '/nodes/$nodeId',
  beforeLoad: onlyFor('admin', 'instructor', 'builder'),
  component: lazyRouteComponent(() => withTexts(['staff'], () => import('./nodes/node-page.tsx'))),
})
const services = createRoute({
  getParentRoute: () => framed,
  path: '/services',
  validateSearch: (search): ServiceChoice => pick(search, ['q', 'state', 'tag']),
  beforeLoad: onlyFor('admin', 'instructor', 'builder'),
  component: lazyRouteComponent(() => withTexts(['staff'], () => import('./services/services-page.tsx'))),
})
const service = createRoute({
  getParentRoute: () => framed,
  path: '/services/$node/$service',
  beforeLoad: onlyFor('admin', 'instructor', 'builder'),
  component: lazyRouteComponent(() => withTexts(['staff', 'session'], () => import('./services/service-page.tsx'))),
})
const people = createRoute({
  getParentRoute: () => framed,
  path: '/people',
  validateSearch: (search): { q?: string; group?: string; role?: string } => pick(search, ['q', 'group', 'role']),
  beforeLoad: onlyFor('admin', 'instructor'),
  component: lazyRouteComponent(() =>
    withTexts(['account', 'staff', 'permissions'], () => import('./people/people-page.tsx')),
  ),
})
const groups = createRoute({
  getParentRoute: () => framed,
  path: '/people/groups',
  validateSearch: (search): { q?: string } => pick(search, ['q']),
  beforeLoad: signedIn,
  component: lazyRouteComponent(() =>
    withTexts(['account', 'staff', 'permissions'], () => import('./groups/groups-page.tsx')),
  ),
})
const group = createRoute({
  getParentRoute: () => framed,
  path: '/people/groups/$groupId',
  beforeLoad: signedIn,
  component: lazyRouteComponent(() =>
    withTexts(['account', 'staff', 'permissions'], () => import('./groups/group-page.tsx')),
  ),
})
const permissions = createRoute({
  getParentRoute: () => framed,
  path: '/people/permissions',
  validateSearch: (search): { lab?: string; kind?: string } => pick(search, ['lab', 'kind']),
  beforeLoad: onlyFor('admin', 'instructor'),
  component: lazyRouteComponent(() =>
    withTexts(['account', 'staff', 'permissions'], () => import('./permissions/permissions-page.tsx')),
  ),
})
const templates = createRoute({
  getParentRoute: () => framed,
  path: '/people/permissions/templates',
  beforeLoad: onlyFor('admin', 'instructor'),
  component: lazyRouteComponent(() =>
    withTexts(['account', 'staff', 'permissions'], () => import('./permissions/templates-page.tsx')),
  ),
})
const usage = createRoute({
  getParentRoute: () => framed,
  path: '/usage',
  validateSearch: (search): UsageSearch =>
    pick(search, ['course', 'days', 'from', 'until', 'who', 'lab', 'standing', 'sort']),
  beforeLoad: onlyFor('admin', 'instructor'),
  component: lazyRouteComponent(() => withTexts(['usage'], () => import('./usage/usage-page.tsx'))),
})
const uses = createRoute({
  getParentRoute: () => framed,
  path: '/usage/uses',
  validateSearch: (search): UsesSearch =>
    pick(search, ['course', 'person', 'lab', 'bench', 'state', 'country', 'from', 'until']),
  beforeLoad: onlyFor('admin', 'instructor'),
  component: lazyRouteComponent(() => withTexts(['usage'], () => import('./usage/uses-page.tsx'))),
})
const use = createRoute({
  getParentRoute: () => framed,
  path: '/usage/uses/$useId',
  beforeLoad: onlyFor('admin', 'instructor'),
  component: lazyRouteComponent(() => withTexts(['usage'], () => import('./usage/use-page.tsx'))),
})
const directUses = createRoute({
  getParentRoute: () => framed,
  path: '/usage/direct',
  validateSearch: (search): DirectSearch => pick(search, ['course', 'person', 'bench', 'country', 'from', 'until']),
  beforeLoad: onlyFor('admin', 'instructor', 'builder'),
  component: lazyRouteComponent(() => withTexts(['usage'], () => import('./usage/direct-uses-page.tsx'))),
})
const directUse = createRoute({
  getParentRoute: () => framed,
  path: '/usage/direct/$useId',
  beforeLoad: onlyFor('admin', 'instructor', 'builder'),
  component: lazyRouteComponent(() => withTexts(['usage'], () => import('./usage/direct-use-page.tsx'))),
})
const account = createRoute({
  getParentRoute: () => framed,
  path: '/account',
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => withTexts(['account'], () => import('./account/account-page.tsx'))),
})
const settings = createRoute({
  getParentRoute: () => framed,
  path: '/settings',
  beforeLoad: onlyFor('admin'),
  component: lazyRouteComponent(() => withTexts(['account', 'staff'], () => import('./settings/settings-page.tsx'))),
})
const audit = createRoute({
  getParentRoute: () => framed,
  path: '/audit',
  validateSearch: (search): AuditFilter => pick(search, ['person', 'action', 'subject', 'from', 'to']),
  beforeLoad: onlyFor('admin'),
  component: lazyRouteComponent(() => withTexts(['staff'], () => import('./audit/audit-page.tsx'))),
})
const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (search): { next?: string; left?: string } => pick(search, ['next', 'left']),
  component: lazyRouteComponent(() => withTexts(['account'], () => import('./sign-in/sign-in-page.tsx'))),
})
const setUp = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: lazyRouteComponent(() => withTexts(['account'], () => import('./sign-in/set-up-page.tsx'))),
})
const join = createRoute({
  getParentRoute: () => root,
  path: '/join',
  component: lazyRouteComponent(() => withTexts(['account'], () => import('./sign-in/join-page.tsx'))),
})
const forgot = createRoute({
  getParentRoute: () => root,
  path: '/forgot',
  component: lazyRouteComponent(() => withTexts(['account'], () => import('./sign-in/forgot-page.tsx'))),
})
const reset = createRoute({
  getParentRoute: () => root,
  path: '/reset',
  component: lazyRouteComponent(() => withTexts(['account'], () => import('./sign-in/reset-page.tsx'))),
})
const register = createRoute({
  getParentRoute: () => root,
  path: '/register',
  component: lazyRouteComponent(() => withTexts(['account'], () => import('./sign-in/register-page.tsx'))),
})
const secondFactor = createRoute({
  getParentRoute: () => root,
  path: '/second-factor',
  validateSearch: (search): { next?: string } => pick(search, ['next']),
  component: lazyRouteComponent(() => withTexts(['account'], () => import('./sign-in/second-factor-page.tsx'))),
})
const confirmAddress = createRoute({
  getParentRoute: () => root,
  path: '/confirm-address',
  component: lazyRouteComponent(() => withTexts(['account'], () => import('./sign-in/confirm-address-page.tsx'))),
})

const tree = root.addChildren([
  framed.addChildren([
    home,
    labs,
    lab,
    runs,
    calendar,
    bookings,
    run,
    recurringList,
    recurring,
    session,
    joinSession,
    visitLab,
    benches,
    bench,
    nodes,
    services,
    service,
    node,
    people,
    groups,
    group,
    permissions,
    templates,
    usage,
    uses,
    use,
    directUses,
    directUse,
    account,
    settings,
    audit,
  ]),
  signIn,
  setUp,
  join,
  forgot,
  reset,
  register,
  confirmAddress,
  secondFactor,
])

/** The addresses of the page. */
export function openRouter(context: Context) {
  return createRouter({
    routeTree: tree,
    context,
    defaultPreload: 'intent',
    defaultNotFoundComponent: NotFound,
    defaultErrorComponent: PageFailed,
    scrollRestoration: true,
  })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof openRouter>
  }
}
