/** How a route of the hub is reached from the command line. */
export interface Reach {
  /** A command line after `fernlab`; words in quotes are one, `{home}` is a folder of the test. */
  readonly verb: string
  /** What the hub answers to the calls that come first. */
  readonly before?: Readonly<Record<string, unknown>>
  /** What the person types when asked. */
  readonly typed?: readonly string[]
  /** Who has no token yet. */
  readonly stranger?: boolean
}

const ada = { id: 'p1', name: 'Ada', email: 'ada@example.org', role: 'student' }
const findsAda = { 'GET /api/v1/users': { items: [ada] } }
const nothing = { items: [] }
const signInRules = {
  staffSecondFactor: false,
  registration: { open: false, domains: [], role: 'student' },
}
const schedulingRules = { stepMinutes: 10, windowHours: 168, graceMinutes: 10, warningMinutes: 5 }
const removal = { people: 0, inner: [], invitations: 0, permissions: 0 }
const storage = {
  databaseBytes: 1,
  freeBytes: 1,
  acceptingRuns: true,
  retention: { dataDays: null, runDays: null },
}
const usageRules = { addressDays: null, nameDays: null }
const at = '2027-02-01T08:00:00.000Z'
const run = {
  id: 'r1',
  state: 'queued',
  attempt: 0,
  lab: 'rc-circuit',
  labVersion: 1,
  protocol: 'charge-curve',
  protocolDigest: 'd',
  restart: 'safe',
  bench: null,
  parameters: {},
  person: { id: 'p1', name: 'Ada' },
  priority: 5,
  createdAt: at,
  cancelRequested: false,
  outputs: {},
  missingOutputs: {},
  rows: { primary: 1 },
}
const token = { id: 't1', name: 'mine', scopes: ['read'], createdAt: at }
const hasPasskey = { 'GET /api/v1/me/passkeys': { items: [{ id: 'k1', name: 'phone', createdAt: at }] } }
const site = {
  site: 'here',
  title: 'Here',
  version: '0',
  timeZone: 'UTC',
  setupNeeded: false,
  mail: true,
  registration: { open: true, domains: [] },
}
const invited = { role: 'student', by: 'Bo', register: true }
/** A one-time link of the hub that a test has; `{hub}` is where it is. */
const link = (page: string) => `{hub}/${page}#token=secret`
const signedIn = { 'POST /api/auth/sign-in/email': {}, 'GET /api/v1/me': ada }
const hasRun = {
  'GET /api/v1/runs/r1': run,
  'GET /api/v1/runs/r1/streams': { attempt: 1, rows: { primary: 1 } },
}
const hasFilm = {
  ...hasRun,
  'GET /api/v1/runs/r1/recording': { attempt: 1, cameras: [{ part: 'view', bytes: 1, pieces: [] }], cursor: '0' },
  'GET /api/v1/runs/r1/recording/view/film.mkv': {},
  'GET /api/v1/runs/r1/recording/view/times.csv': {},
}
const session = {
  ...{ id: 's1', state: 'active', lab: 'rc-circuit', bench: 'demo.rc', person: ada, partners: [], createdAt: at },
  ...{ seconds: 600, mostSeconds: 600, idleSeconds: 300 },
}
const bench = { id: 'demo.rc', node: 'demo', name: 'rc', labs: [], state: 'free', leased: false, parts: {} }
const secondStep = { secondFactor: true, by: ['code'] }
const series = '--days mon --at 10:00 --from 2027-02-01 --until 2027-02-09 --for 1h'

/** Route → a command that calls it. */
export const reached: Readonly<Record<string, string | Reach>> = {
  'GET /healthz': 'doctor',
  'GET /readyz': { verb: 'doctor', before: { 'GET /healthz': {} } },
  'GET /api/v1/storage': 'settings retention',
  'PUT /api/v1/settings/retention': {
    verb: 'settings retention --data-days 30',
    before: { 'GET /api/v1/storage': storage },
  },
  'GET /api/v1/settings/scheduling': 'settings scheduling',
  'PUT /api/v1/settings/scheduling': {
    verb: 'settings scheduling --step-minutes 20',
    before: { 'GET /api/v1/settings/scheduling': schedulingRules },
  },
  'GET /api/v1/settings/sign-in': 'settings sign-in',
  'PUT /api/v1/settings/sign-in': {
    verb: 'settings sign-in --registration open',
    before: { 'GET /api/v1/settings/sign-in': signInRules },
  },
  'GET /api/v1/settings/lab-servers': 'settings lab-servers',
  'PUT /api/v1/settings/lab-servers': 'settings lab-servers --names on',
  'GET /api/v1/settings/usage': 'settings usage',
  'PUT /api/v1/settings/usage': {
    verb: 'settings usage --addresses 30',
    before: { 'GET /api/v1/settings/usage': usageRules },
  },
  'POST /api/v1/settings/usage/preview': {
    verb: 'settings usage --addresses 30 --preview',
    before: { 'GET /api/v1/settings/usage': usageRules },
  },

  'POST /api/auth/sign-in/email': { verb: 'login --email ada@example.org', typed: ['secret'] },
  'POST /api/v1/sign-in/second-factor': {
    verb: 'login --email ada@example.org',
    typed: ['secret', '123456'],
    before: { 'POST /api/auth/sign-in/email': secondStep },
  },
  'POST /api/auth/sign-out': {
    verb: 'login --email ada@example.org',
    typed: ['secret'],
    before: { ...signedIn, 'POST /api/v1/tokens': { ...token, token: 'token' } },
  },
  'POST /api/auth/change-password': {
    verb: 'account password',
    typed: ['secret', 'a-new-secret', 'a-new-secret'],
    before: signedIn,
  },
  'GET /api/v1/site': 'account register',
  'POST /api/v1/setup': {
    verb: 'account link --name Ada --email ada@example.org',
    before: { 'POST /api/v1/setup/check': {} },
    typed: [link('setup'), 'a-new-secret', 'a-new-secret'],
  },
  'POST /api/v1/setup/check': { verb: 'account link', typed: [link('setup')] },
  'POST /api/v1/join': {
    verb: 'account link --name Ada --email ada@example.org',
    stranger: true,
    before: { 'POST /api/v1/join/check': invited },
    typed: [link('join'), 'a-new-secret', 'a-new-secret'],
  },
  'POST /api/v1/join/check': { verb: 'account link', typed: [link('join')] },
  'POST /api/v1/join/accept': {
    verb: 'account link --token mine',
    before: { 'POST /api/v1/join/check': invited },
    typed: [link('join')],
  },
  'POST /api/v1/password/forgot': 'account forgot-password ada@example.org',
  'POST /api/v1/password/reset': { verb: 'account link', typed: [link('reset'), 'a-new-secret', 'a-new-secret'] },
  'POST /api/v1/register': {
    verb: 'account register --name Ada --email ada@example.org',
    before: { 'GET /api/v1/site': site },
  },
  'POST /api/v1/register/check': { verb: 'account link', typed: [link('register')] },
  'POST /api/v1/register/confirm': {
    verb: 'account link',
    before: { 'POST /api/v1/register/check': { name: 'Ada', email: 'ada@example.org' } },
    typed: [link('register'), 'a-new-secret', 'a-new-secret'],
  },
  'POST /api/v1/address/confirm': { verb: 'account link', typed: [link('confirm-address')] },
  'GET /api/v1/me': 'whoami',
  'PUT /api/v1/me': 'account rename Ada',
  'POST /api/v1/me/address': { verb: 'account address ada@example.org', typed: ['secret'] },
  'GET /api/v1/me/export': 'account export -',
  'POST /api/v1/me/close': { verb: 'account close --yes', before: signedIn, typed: ['secret'] },
  'GET /api/v1/me/second-factor': 'account second-factor show',
  'POST /api/v1/me/second-factor': { verb: 'account second-factor on', typed: ['secret'] },
  'POST /api/v1/me/second-factor/confirm': {
    verb: 'account second-factor on',
    typed: ['secret', '123456'],
    before: { 'POST /api/v1/me/second-factor': { secret: 'ABCD', uri: 'otpauth://totp/x' } },
  },
  'POST /api/v1/me/second-factor/recovery-codes': { verb: 'account second-factor recovery-codes', typed: ['secret'] },
  'POST /api/v1/me/second-factor/remove': { verb: 'account second-factor off', typed: ['secret'] },
  'GET /api/v1/me/passkeys': 'account passkeys',
  'PUT /api/v1/me/passkeys/{id}': { verb: 'account rename-passkey phone "my phone"', before: hasPasskey },
  'POST /api/v1/me/passkeys/{id}/remove': {
    verb: 'account remove-passkey phone',
    before: hasPasskey,
    typed: ['secret'],
  },
  'GET /api/v1/me/sign-ins': 'account sign-ins',
  'DELETE /api/v1/me/sign-ins/{id}': 'account sign-out s1',
  'POST /api/v1/me/sign-ins/end-others': 'account sign-out --all',
  'GET /api/v1/me/groups': 'account groups',
  'DELETE /api/v1/me/groups/{id}': 'account leave optics',
  'GET /api/v1/me/booking-letters': 'booking letters',
  'PUT /api/v1/me/booking-letters': {
    verb: 'booking letters off',
    before: { 'GET /api/v1/me/booking-letters': { wanted: true, possible: true, confirmed: true } },
  },
  'GET /api/v1/me/bench-letters': 'bench letters',
  'PUT /api/v1/me/bench-letters': 'bench letters off',
  'GET /api/v1/tokens': 'token list',
  'POST /api/v1/tokens': { verb: 'token create name --scope read', before: { 'GET /api/v1/me': ada } },
  'DELETE /api/v1/tokens/{id}': 'token revoke t1',
  'POST /api/v1/tokens/revoke-all': 'token revoke --all',

  'GET /api/v1/labs': 'labs',
  'GET /api/v1/labs/{lab}': 'lab show rc-circuit',
  'GET /api/v1/labs/{lab}/files/{path}': 'lab file rc-circuit picture.svg',
  'PUT /api/v1/labs/{lab}': 'lab push shared/labs/rc-circuit',
  'DELETE /api/v1/labs/{lab}': 'lab remove rc-circuit',
  'POST /api/v1/runs': 'run rc-circuit charge-curve --no-wait',
  'GET /api/v1/runs': 'runs',
  'GET /api/v1/runs/{id}': 'watch r1',
  'POST /api/v1/runs/{id}/cancel': 'cancel r1',
  'POST /api/v1/runs/{id}/rerun': 'rerun r1 --no-wait',
  'POST /api/v1/runs/{id}/give-up': 'give-up r1',
  'GET /api/v1/runs/{id}/documents': { verb: 'download r1 --form documents', before: hasRun },
  'GET /api/v1/runs/{id}/streams': { verb: 'download r1', before: hasRun },
  'GET /api/v1/runs/{id}/data.csv': { verb: 'download r1', before: hasRun },
  'GET /api/v1/runs/{id}/data.json': { verb: 'download r1 --form json', before: hasRun },
  'GET /api/v1/runs/{id}/data.parquet': { verb: 'download r1 --form parquet', before: hasRun },
  'GET /api/v1/runs/{id}/data.h5': { verb: 'download r1 --form hdf5', before: hasRun },
  'GET /api/v1/runs/{id}/recording': { verb: 'download r1 --form film', before: hasRun },
  'GET /api/v1/runs/{id}/recording/{part}/film.mkv': {
    verb: 'download r1 --form film --overwrite --to {home}',
    before: hasFilm,
  },
  'GET /api/v1/runs/{id}/recording/{part}/times.csv': {
    verb: 'download r1 --form film --overwrite --to {home}',
    before: hasFilm,
  },
  'GET /api/v1/runs/{id}/pictures/{file}': {
    verb: 'download r1 --form pictures',
    before: {
      'GET /api/v1/runs/r1': run,
      'GET /api/v1/runs/r1/streams': { attempt: 1, rows: { 'view.pictures': 1 } },
      'GET /api/v1/runs/r1/data.json': {
        stream: 'view.pictures',
        attempt: 1,
        rows: 1,
        reduced: false,
        keys: { view_picture: { unit: '1', dtype: 'string', source: 'eye.picture', external: 'FILESTORE:' } },
        time: [1],
        columns: { view_picture: ['view-0001.jpg'] },
      },
    },
  },
  'GET /api/v1/runs/{id}/events': { verb: 'watch r1', before: { 'GET /api/v1/runs/r1': run } },
  'POST /api/v1/sessions': 'session start rc-circuit',
  'GET /api/v1/sessions': 'session list',
  'GET /api/v1/sessions/{id}': 'session show s1',
  'GET /api/v1/sessions/{id}/live': { verb: 'session take s1', before: { 'GET /api/v1/sessions/s1': session } },
  'POST /api/v1/sessions/{id}/link': 'session link s1',
  'POST /api/v1/sessions/join': 'session join token',
  'POST /api/v1/sessions/{id}/extend': 'session extend s1 60',
  'POST /api/v1/sessions/{id}/finish': 'session finish s1',
  'POST /api/v1/sessions/{id}/visit': 'session visit s1',

  'GET /api/v1/bookings/notices': 'booking notices',
  'POST /api/v1/bookings/notices/{id}/put-away': 'booking put-away n1',
  'POST /api/v1/bookings': 'booking make rc-circuit "2027-02-01 08:00" --for 1h',
  'GET /api/v1/bookings': 'booking list',
  'GET /api/v1/bookings/calendar.ics': 'booking calendar',
  'GET /api/v1/bookings/{id}': 'booking show b1',
  'PUT /api/v1/bookings/{id}': 'booking change b1 --note words',
  'POST /api/v1/bookings/{id}/cancel': 'booking cancel b1',
  'POST /api/v1/booking-series': `booking series rc-circuit ${series}`,
  'POST /api/v1/booking-series/{id}/cancel': 'booking series-cancel s1',
  'POST /api/v1/booking-series/{id}/take-back': 'booking series-take-back s1',
  'GET /api/v1/labs/{lab}/calendar': 'booking free rc-circuit',
  'POST /api/v1/recurring': 'recurring create rc-circuit charge-curve Nightly --cron "30 2 * * *"',
  'GET /api/v1/recurring': 'recurring list',
  'GET /api/v1/recurring-times': 'recurring times "30 2 * * *"',
  'GET /api/v1/recurring/{id}': 'recurring show r1',
  'PUT /api/v1/recurring/{id}': 'recurring change r1 --name Daily',
  'DELETE /api/v1/recurring/{id}': 'recurring remove r1',
  'POST /api/v1/recurring/{id}/pause': 'recurring pause r1',
  'POST /api/v1/recurring/{id}/resume': 'recurring resume r1',
  'POST /api/v1/recurring/{id}/run': 'recurring run r1',

  'GET /api/v1/directory': 'directory --tag supply',
  'GET /api/v1/directory/{service}': 'directory bench1.psu',
  'POST /api/v1/directory/tokens': 'token service bench1.psu --lease l1',
  'GET /api/v1/benches': 'benches',
  'GET /api/v1/benches/{bench}': 'bench show demo.rc',
  'POST /api/v1/benches/{bench}/lease': 'bench lease demo.rc',
  'DELETE /api/v1/benches/{bench}/lease': 'bench release demo.rc',
  'POST /api/v1/benches/{bench}/exchange': {
    verb: 'bench exchange demo.rc',
    before: { 'GET /api/v1/benches/demo.rc': bench },
  },
  'DELETE /api/v1/benches/{bench}': 'bench remove demo.rc --confirm demo.rc',
  'GET /api/v1/benches/{bench}/removal': 'bench remove demo.rc',
  'POST /api/v1/benches/{bench}/put-back': 'bench put-back demo.rc',
  'POST /api/v1/benches/{bench}/reset-interlock': 'bench reset-interlock demo.rc',
  'GET /api/v1/benches/{bench}/outages': 'bench outages demo.rc',
  'POST /api/v1/benches/{bench}/outages': 'bench close demo.rc --reason words',
  'POST /api/v1/outages': 'bench close demo.rc demo.iv --reason words',
  'DELETE /api/v1/benches/{bench}/outages/{outage}': 'bench open demo.rc o1',
  'GET /api/v1/benches/{bench}/history': 'bench history demo.rc',
  'GET /api/v1/benches/{bench}/history.csv': 'bench history demo.rc --csv',
  'POST /api/v1/benches/{bench}/checks': 'bench check demo.rc',
  'GET /api/v1/nodes': 'nodes',
  'GET /api/v1/nodes/{node}': 'node show demo',
  'POST /api/v1/nodes': 'node enroll demo',
  'GET /api/v1/nodes/{node}/calibrations': 'node calibrate demo --show',
  'POST /api/v1/nodes/{node}/calibrations': 'node calibrate demo psu.voltage --clear',
  'POST /api/v1/nodes/{node}/calibrations/undo': 'node calibrate demo psu.voltage --undo',
  'GET /api/v1/nodes/{node}/hardware': 'node look demo',
  'POST /api/v1/nodes/{node}/hardware/scan': 'node look demo --scan',
  'POST /api/v1/nodes/{node}/instruments': 'node equip demo i2c:1:0x76 --driver i2c --name air --set chip=bme280',
  'DELETE /api/v1/nodes/{node}/instruments/{instrument}': 'node unequip demo air',
  'DELETE /api/v1/nodes/{node}': 'node remove demo --confirm demo',
  'GET /api/v1/nodes/{node}/removal': 'node remove demo',
  'POST /api/v1/nodes/{node}/rotate': 'node rotate demo',
  'POST /api/v1/nodes/{node}/revoke': 'node revoke demo',

  'POST /api/v1/users/{id}/revoke-tokens': { verb: 'user revoke-tokens ada@example.org', before: findsAda },
  'POST /api/v1/users/{id}/suspend': { verb: 'user suspend ada@example.org', before: findsAda },
  'POST /api/v1/users/{id}/restore': { verb: 'user restore ada@example.org', before: findsAda },
  'DELETE /api/v1/users/{id}/second-factor': { verb: 'user take-second-factor ada@example.org', before: findsAda },
  'GET /api/v1/users': 'user list',
  'PUT /api/v1/users/{id}': { verb: 'user role ada@example.org --role guest', before: findsAda },
  'POST /api/v1/users/import': 'user import package.json',
  'GET /api/v1/invitations': 'user invitations',
  'POST /api/v1/invitations': 'user invite',
  'DELETE /api/v1/invitations/{id}': 'user uninvite i1',
  'GET /api/v1/groups': 'group list',
  'GET /api/v1/groups/{id}': 'group show optics',
  'POST /api/v1/groups': 'group create optics Optics',
  'PUT /api/v1/groups/{id}': 'group change optics --name Optics',
  'DELETE /api/v1/groups/{id}': {
    verb: 'group remove optics --yes',
    before: { 'GET /api/v1/groups/optics/removal': removal },
  },
  'GET /api/v1/groups/{id}/removal': 'group remove optics',
  'GET /api/v1/groups/{id}/members': 'group members optics',
  'POST /api/v1/groups/{id}/members': 'group add optics ada@example.org',
  'GET /api/v1/permissions': 'permission list',
  'POST /api/v1/permissions': 'permission give everyone',
  'GET /api/v1/permissions/{id}': 'permission show m1',
  'POST /api/v1/permissions/bulk': 'permission bulk m1 m2 --term mostOpen=1',
  'PUT /api/v1/permissions/{id}': 'permission change m1 --note words',
  'DELETE /api/v1/permissions/{id}': 'permission take m1',
  'POST /api/v1/permissions/{id}/copy': 'permission copy m1 role:student',
  'GET /api/v1/permission-templates': 'permission templates',
  'PUT /api/v1/permission-templates/{id}': {
    verb: 'permission template save term mostOpen=1',
    before: { 'GET /api/v1/permission-templates': nothing },
  },
  'DELETE /api/v1/permission-templates/{id}': 'permission template remove term',
  'POST /api/v1/permission-templates/{id}/apply': 'permission template apply term everyone',
  'GET /api/v1/labs/{lab}/permission': 'permission mine rc-circuit',
  'GET /api/v1/audit': 'audit',
  'GET /api/v1/audit.csv': 'audit --csv',

  'GET /api/v1/usage/uses': 'usage uses',
  'GET /api/v1/usage/uses.csv': 'usage uses --csv',
  'GET /api/v1/usage/uses/{id}': 'usage use u1',
  'GET /api/v1/usage/uses/{id}/commands.csv': 'usage use u1 --csv commands',
  'GET /api/v1/usage/uses/{id}/files.csv': 'usage use u1 --csv files',
  'GET /api/v1/usage/direct': 'usage direct',
  'GET /api/v1/usage/direct.csv': 'usage direct --csv',
  'GET /api/v1/usage/direct/{id}': 'usage direct u1',
  'GET /api/v1/usage/direct/{id}/exchanges.csv': 'usage direct u1 --csv',
  'GET /api/v1/usage/courses/{id}': 'usage course optics',
  'GET /api/v1/usage/courses/{id}/people.csv': 'usage course optics --csv',
  'GET /api/v1/usage/courses/{id}/hours.csv': 'usage course optics --csv --hours',
  'GET /api/v1/usage/courses/{id}/timeline': 'usage timeline optics',
  'GET /api/v1/usage/courses/{id}/timeline.csv': 'usage timeline optics --csv',
  'GET /api/v1/usage/courses/{id}/similar': 'usage similar optics',
  'GET /api/v1/usage/courses/{id}/similar.csv': 'usage similar optics --csv',
  'GET /api/v1/usage/site': 'usage site',
  'GET /api/v1/usage/site/benches.csv': 'usage site --csv benches',
  'GET /api/v1/usage/site/labs.csv': 'usage site --csv labs',
  'GET /api/v1/usage/site/waits.csv': 'usage site --csv waits',
  'GET /api/v1/usage/site/countries.csv': 'usage site --csv countries',
  'GET /api/v1/usage/site/hours.csv': 'usage site --csv hours',
}

const browserKeepsPasskeys = 'a browser and its authenticator make what is sent'
const tokenInstead = 'of a browser’s cookie; the command line keeps a token: login, logout, whoami'

/** Route → why no verb calls it. */
export const withoutVerb: Readonly<Record<string, string>> = {
  'GET /api/v1/users/import':
    'user import asks it again and again while its list is worked on, and shows how far it is',
  'GET /metrics': 'Prometheus reads it, in its own text form',
  'POST /api/v1/me/sign-out-everywhere': 'account sign-out --all ends them by end-others; a token is none of them',
  'GET /api/auth/get-session': tokenInstead,
  'POST /api/v1/sign-in/passkey/begin': browserKeepsPasskeys,
  'POST /api/v1/sign-in/passkey': browserKeepsPasskeys,
  'POST /api/v1/me/passkeys': browserKeepsPasskeys,
  'POST /api/v1/me/passkeys/begin': browserKeepsPasskeys,
  'POST /api/v1/nodes/enroll': 'the node calls it: edge --enroll',
  'GET /api/v1/usage': 'the same as /api/v1/usage/uses, which usage uses asks for',
  'DELETE /api/v1/sessions/{id}': 'the same as finish, for programs that expect it of a resource',
  'GET /api/v1/labs/{lab}/readme':
    'a tree of elements for a page; lab show --readme prints the Markdown that it is made of',
  'GET /api/v1/sessions/{id}/cameras/{part}':
    'pictures come over it as they are seen: a panel shows them, a terminal can not',
  'GET /api/v1/nodes/{node}/services': 'clients call services over it where there is no nearer way',
  'GET /api/v1/runs/{id}/recording/{part}/{number}': 'a second of a film, for the player of the run’s page',
  'GET /api/v1/sessions/{id}/page': 'a frame of the hub’s page shows it, and works nowhere else',
}
