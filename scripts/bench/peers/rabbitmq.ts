/** Debian's RabbitMQ with folders and ports of its own, on loopback, for one benchmark run. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Bench, Started } from '../framework/surroundings.ts'
import { freePort, until } from '../framework/surroundings.ts'

const programs = '/usr/lib/rabbitmq/bin'

export interface RabbitMq {
  /** `amqp://…` */
  readonly url: string
  close(): Promise<void>
}

/** Starts it and resolves when it takes connections; rejects when Debian's package is not there. */
export async function startRabbitMq(bench: Bench): Promise<RabbitMq> {
  if (!existsSync(join(programs, 'rabbitmq-server'))) {
    throw new LabError({
      code: 'peer-missing',
      kind: 'configuration',
      message: 'RabbitMQ is not installed (apt-get install rabbitmq-server)',
    })
  }
  const home = join(bench.work, 'rabbitmq')
  mkdirSync(home, { recursive: true })
  const [port, distPort, epmdPort] = [await freePort(), await freePort(), await freePort()]
  writeFileSync(join(home, 'enabled_plugins'), '[].\n')
  writeFileSync(join(home, 'rabbitmq.conf'), `listeners.tcp.default = 127.0.0.1:${port}\n`)
  const env = {
    HOME: home,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(epmdPort),
    RABBITMQ_NODENAME: `bench${port}@localhost`,
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_MNESIA_BASE: join(home, 'mnesia'),
    RABBITMQ_LOG_BASE: join(home, 'log'),
    RABBITMQ_CONFIG_FILE: join(home, 'rabbitmq.conf'),
    RABBITMQ_CONF_ENV_FILE: join(home, 'none'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(home, 'enabled_plugins'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
  }
  const epmd = bench.start('epmd', ['-address', '127.0.0.1', '-port', String(epmdPort)], { log: 'epmd.log' })
  const server = bench.start(join(programs, 'rabbitmq-server'), [], { log: 'rabbitmq.log', env })
  const close = async () => {
    await server.end()
    await epmd.end()
  }
  try {
    await untilUp(server, env)
  } catch (error) {
    await close()
    throw error
  }
  return { url: `amqp://guest:guest@127.0.0.1:${port}//`, close }
}

async function untilUp(server: Started, env: Readonly<Record<string, string>>): Promise<void> {
  let ended: string | undefined
  void server.ended.then((how) => {
    ended = how
  })
  await until('RabbitMQ coming up', 60_000, async () => {
    if (ended !== undefined) {
      throw new LabError({
        code: 'peer-failed',
        kind: 'configuration',
        message: `RabbitMQ ended (${ended}); see rabbitmq.log`,
      })
    }
    const { status } = spawnSync(join(programs, 'rabbitmq-diagnostics'), ['-q', 'check_port_connectivity'], {
      env: { ...process.env, ...env },
      timeout: 20_000,
    })
    return status === 0 ? true : undefined
  })
}
