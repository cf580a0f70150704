import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBoardDriver } from '@fernlab/edge/drivers/board/board'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { hostPrograms } from '../../support/firmware/host-board.ts'
import { driverContract } from '../driver-contract.ts'
import { realInstrument } from '../real-instrument.ts'

const programs = hostPrograms()
let made: Promise<{ program: string; folder: string }> | undefined
const prepare = async () => ({
  program: await programs.compile('board'),
  folder: await mkdtemp(join(tmpdir(), 'fernlab-board-')),
})

driverContract(
  'board, the C library as a program of this machine',
  async () => {
    made ??= prepare()
    const { program, folder } = await made
    const board = await programs.start(program)
    return {
      driver: createBoardDriver(),
      config: { transport: { kind: 'tcp', host: '127.0.0.1', port: board.port } },
      context: {
        name: 'bench-1',
        clock: systemClock,
        log: silentLog,
        openTransport: createOpenTransport({ clock: systemClock, log: silentLog }),
        configFolder: folder,
      },
      settable: { name: 'level', values: [2.5, -7.25] as const },
      readable: ['a', 'd', 'level'],
      action: 'clear',
      cut: () => board.say('cut'),
      release: () => board.stop(),
    }
  },
  async () => {
    if (made !== undefined) await rm((await made).folder, { recursive: true, force: true })
    await programs.remove()
  },
)

realInstrument('FERNLAB_TEST_BOARD', createBoardDriver)
