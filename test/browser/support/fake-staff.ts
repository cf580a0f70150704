import type { SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { Bench, Invitation, NodeInfo, PersonInfo, Token } from '@fernlab/shared/contracts/api'
import type { AuditEntry } from '@fernlab/shared/contracts/audit'
import type { Outage } from '@fernlab/shared/contracts/bench-care'
import type { BenchHistory } from '@fernlab/shared/contracts/bench-checks'
import type { SignalCalibrations } from '@fernlab/shared/contracts/calibrations'
import type { OwnGroup } from '@fernlab/shared/contracts/groups'
import type { Passkey } from '@fernlab/shared/contracts/passkeys'
import type { OwnSignIn } from '@fernlab/shared/contracts/sign-ins'

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString()

const signal = (name: string, unit: string, more: Partial<SignalSpec> = {}): SignalSpec => ({
  name,
  unit,
  dtype: 'number',
  shape: [],
  kind: 'reading',
  access: 'read-set',
  ...more,
})

/** Benches of every kind that a page has to show. */
export const benches: readonly Bench[] = [
  {
    id: 'demo.rc-1',
    node: 'demo',
    name: 'rc-1',
    title: 'RC bench 1',
    labs: ['rc-circuit'],
    state: 'free',
    since: ago(320),
    leased: false,
    checks: [
      {
        name: 'network',
        title: 'Lab network',
        kind: 'reachable',
        everyS: 60,
        passed: true,
        checkedAt: ago(12),
        failing: false,
      },
      {
        name: 'meter',
        title: 'meter',
        kind: 'identify',
        everyS: 300,
        passed: false,
        reason: 'meter did not answer identify within 2000 ms',
        checkedAt: ago(140),
        failing: false,
      },
      {
        name: 'calibration',
        title: 'Time constant',
        kind: 'protocol',
        everyS: 86_400,
        passed: false,
        reason: 'tau is 1.3 s, and 1.1 s is the most',
        checkedAt: ago(600),
        failing: false,
        run: 'check-1',
        asked: true,
        underWay: { run: 'check-2', fraction: 0.4 },
      },
      {
        name: 'leak',
        title: 'Leakage',
        kind: 'protocol',
        everyS: 86_400,
        failing: false,
        issues: [
          { path: 'benches.rc-1.checks.leak.config.protocol', message: 'the lab rc-circuit has no protocol leek' },
        ],
      },
    ],
    parts: {
      psu: {
        instrument: 'supply',
        driver: 'scpi',
        model: 'FL-3005',
        signals: [
          signal('voltage', 'V', { title: 'Voltage', limits: { low: 0, high: 10 } }),
          signal('current_limit', 'A', { title: 'Current limit', limits: { low: 0, high: 0.5 } }),
          signal('output', '1', { title: 'Output', dtype: 'boolean' }),
          signal('shape', '1', { title: 'Shape', dtype: 'string', access: 'set', values: ['sine', 'square', 'dc'] }),
        ],
        actions: [],
      },
      dmm: {
        instrument: 'meter',
        driver: 'scpi',
        model: 'FL-3410',
        signals: [signal('voltage', 'V', { title: 'Voltage', access: 'read' })],
        actions: [],
      },
    },
  },
  {
    id: 'physics-2.diode-1',
    node: 'physics-2',
    name: 'diode-1',
    title: 'Diode bench',
    labs: ['diode-iv'],
    state: 'fault',
    since: ago(5400),
    reason: 'The supply does not answer. Check that it is switched on and its USB cable is in.',
    leased: false,
    parts: {},
  },
  {
    id: 'demo.cell',
    node: 'demo',
    name: 'cell',
    labs: ['membrane'],
    state: 'busy',
    since: ago(12),
    run: '01k0000000000000000000000b',
    leased: false,
    parts: {},
  },
]

/** Closing hours, as a bench has them before anybody plans more. */
const DAY_S = 86_400
/** Four weeks of a bench with a breakdown, a maintenance and a node that started again. */
export const benchHistory: BenchHistory = {
  uptime: [
    { days: 1, share: 1, upS: DAY_S, downS: 0, plannedS: 0, unknownS: 0 },
    { days: 7, share: 0.98765, upS: 7 * DAY_S - 11_000, downS: 7_500, plannedS: 3_500, unknownS: 0 },
    { days: 30, share: 0.9971, upS: 27 * DAY_S, downS: 7_620, plannedS: DAY_S / 2, unknownS: 2 * DAY_S },
  ],
  changes: [
    { at: ago(3 * DAY_S), state: 'up', cause: 'bench' },
    {
      at: ago(3 * DAY_S + 7_500),
      until: ago(3 * DAY_S),
      state: 'fault',
      cause: 'check',
      reason: 'the check Lab network failed: 192.0.2.1:443 does not answer (ECONNREFUSED)',
    },
    { at: ago(12 * DAY_S), until: ago(3 * DAY_S + 7_500), state: 'up', cause: 'bench' },
    {
      at: ago(12.5 * DAY_S),
      until: ago(12 * DAY_S),
      state: 'maintenance',
      cause: 'staff',
      reason: 'new fuse',
      by: 'Ada Lovelace',
    },
    { at: ago(20 * DAY_S), until: ago(12.5 * DAY_S), state: 'up', cause: 'bench' },
    { at: ago(20 * DAY_S + 120), until: ago(20 * DAY_S), state: 'offline', cause: 'node' },
    { at: ago(28 * DAY_S), until: ago(20 * DAY_S + 120), state: 'up', cause: 'bench' },
  ],
}

export const plannedOutages: readonly Outage[] = [
  {
    id: 'o0',
    bench: 'demo.rc-1',
    reason: 'Nobody is in the building',
    atOnce: false,
    weekly: { days: ['sat', 'sun'], from: '00:00', until: '00:00', timeZone: 'Europe/Madrid' },
    from: ago(-200_000),
    until: ago(-372_800),
    inForce: false,
    createdBy: 'Bo Lindqvist',
    createdAt: ago(900_000),
  },
]

/** A healthy node, one in trouble, one that was cut off and one that has not come yet. */
const calibrated = { at: '2026-05-28T09:30:00Z', by: 'Ada Lovelace' }
/** Of the node's two benches; the last is not of the first of them. */
export const calibrations: readonly SignalCalibrations[] = [
  {
    signal: 'supply.voltage',
    history: [
      {
        ...calibrated,
        curve: {
          form: 'table',
          points: [
            [0, 0],
            [1, 1.1],
          ],
        },
      },
      {
        ...calibrated,
        curve: { form: 'linear', gain: 1.0021, offset: -0.013 },
        validUntil: '2099-05-31',
        note: 'against the multimeter of room 12',
      },
    ],
  },
  {
    signal: 'meter.voltage',
    history: [{ ...calibrated, curve: { form: 'polynomial', coefficients: [0, 1] }, validUntil: '2026-05-31' }],
  },
  { signal: 'supply.current', history: [{ ...calibrated, curve: null }] },
  { signal: 'elsewhere.voltage', history: [{ ...calibrated, curve: { form: 'linear', gain: 2, offset: 0 } }] },
]

export const nodes: readonly NodeInfo[] = [
  {
    id: 'demo',
    state: 'online',
    lastSeen: ago(3),
    version: '0.1.0',
    benches: ['rc-1', 'cell'],
    enrolledAt: ago(90_000),
    health: {
      version: '0.1.0',
      time: ago(3),
      uptime_s: 93_000,
      cpu_temp_Cel: 47.2,
      load: 0.31,
      memory_bytes: 61_000_000,
      disk_free_bytes: 22_400_000_000,
      queue_depth: 0,
      outbox_depth: 2,
      clock_offset_ms: 1.4,
      reached: [{ instrument: 'pins', by: 'pinctrl-bcm2711 (58 lines, base 512) by sysfs' }],
      problems: [],
    },
  },
  {
    id: 'physics-2',
    state: 'offline',
    lastSeen: ago(5400),
    benches: ['diode-1'],
    enrolledAt: ago(900_000),
    health: {
      version: '0.1.0',
      time: ago(5400),
      uptime_s: 812_000,
      cpu_temp_Cel: 71,
      load: 1.9,
      memory_bytes: 68_000_000,
      disk_free_bytes: 310_000_000,
      queue_depth: 1,
      outbox_depth: 1204,
      clock_offset_ms: -380,
      problems: [
        { code: 'disk-nearly-full', message: 'The disk is nearly full. Remove old files or use a larger card.' },
      ],
    },
  },
  { id: 'physics-1', state: 'revoked', lastSeen: ago(260_000), benches: ['optics-1'], enrolledAt: ago(2_600_000) },
  { id: 'physics-3', state: 'never-seen', benches: [] },
]

/** One token in use and one revoked. */
export const passkeys: readonly Passkey[] = [
  {
    id: 'cGFzc2tleS0x',
    name: 'my phone',
    createdAt: '2026-01-12T09:00:00.000Z',
    lastUsedAt: '2026-02-02T08:30:00.000Z',
  },
  { id: 'cGFzc2tleS0y', name: 'the security key on my keyring', createdAt: '2026-01-20T16:10:00.000Z' },
]

export const signIns: readonly OwnSignIn[] = [
  {
    id: 's1',
    browser: 'Firefox',
    system: 'Windows',
    address: '203.0.113.7',
    since: ago(86_400),
    lastSeenAt: ago(5),
    expiresAt: ago(-86_400),
    here: true,
  },
  {
    id: 's2',
    browser: 'Safari',
    system: 'iPhone',
    address: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
    since: ago(400_000),
    lastSeenAt: ago(7_200),
    expiresAt: ago(-86_400),
    here: false,
  },
  { id: 's3', since: ago(500_000), lastSeenAt: ago(90_000), expiresAt: ago(-86_400), here: false },
]

export const tokens: readonly Token[] = [
  { id: 't1', name: 'notebook', scopes: ['read', 'run'], createdAt: ago(900_000), lastUsedAt: ago(600) },
  { id: 't3', name: 'command line', scopes: ['admin'], createdAt: ago(800_000) },
  { id: 't2', name: 'old dashboard', scopes: ['mqtt:read'], createdAt: ago(9_000_000), revokedAt: ago(80_000) },
]

/** One of each role, the first of whom is signed in. */
export const ownGroups: readonly OwnGroup[] = [
  { id: 'club', name: 'Electronics club', kind: 'group', role: 'member', since: ago(40_000_000), instructors: [] },
  {
    id: 'optics',
    name: 'Optics, spring',
    kind: 'course',
    role: 'member',
    since: ago(500_000),
    until: ago(-9_000_000),
    instructors: ['Bo Lindqvist', 'Ida Berg'],
    stays: 'course',
  },
  {
    id: 'tutors',
    name: 'Tutors of the first year',
    kind: 'group',
    role: 'instructor',
    since: ago(9_000_000),
    instructors: ['Ana Ruiz'],
    stays: 'last-instructor',
  },
]

export const people: readonly PersonInfo[] = [
  { id: 'p1', name: 'Ana Ruiz', email: 'ana@school.example', role: 'admin' },
  {
    id: 'p2',
    name: 'Bo Lindqvist',
    email: 'bo.lindqvist@school.example',
    role: 'instructor',
    secondFactor: true,
    tokens: true,
  },
  { id: 'p3', name: 'Chiamaka Okonkwo-Featherstonehaugh', email: 'chiamaka@students.school.example', role: 'student' },
]

const invitation = (id: string, more: Partial<Invitation>): Invitation => ({
  id,
  role: 'student',
  register: true,
  most: 30,
  used: 12,
  createdBy: 'Ana Ruiz',
  createdAt: ago(90_000),
  expiresAt: ago(-900_000),
  ...more,
})

/** One that is open, and one of each way to be over. */
export const invitations: readonly Invitation[] = [
  invitation('i4', { note: 'Physics 2, spring' }),
  invitation('i3', { role: 'instructor', most: 1, used: 1 }),
  invitation('i2', { note: 'Open day', role: 'guest', revokedAt: ago(3600) }),
  invitation('i1', { expiresAt: ago(7200) }),
]

const ana = { person: 'p1', personName: 'Ana Ruiz' }

/** More than a page of changes: each kind of detail first, then the same one over and over. */
export const auditEntries: readonly AuditEntry[] = [
  {
    id: '90',
    at: ago(400),
    ...ana,
    action: 'settings.retention',
    subject: 'runs',
    detail: { was: { dataDays: 365, runDays: null }, is: { dataDays: 90, runDays: null } },
  },
  {
    id: '89',
    at: ago(7000),
    ...ana,
    address: '192.0.2.7',
    action: 'person.role',
    subject: 'p3',
    subjectName: 'Chiamaka Okonkwo-Featherstonehaugh',
    detail: { from: 'guest', to: 'student' },
  },
  { id: '88', at: ago(9000), action: 'retention.sweep', subject: 'runs', detail: { samples: 12, runs: 3 } },
  ...Array.from({ length: 60 }, (_, i) => ({
    id: String(87 - i),
    at: ago(10_000 + i * 5000),
    person: 'p2',
    personName: 'Bo Lindqvist',
    action: 'bench.put-back',
    subject: 'physics-2.diode-1',
    detail: {},
  })),
]
