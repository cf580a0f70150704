import { spawnSync } from 'node:child_process'
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { quantile } from './statistics.ts'

/** What the figures were measured on. */
export interface Machine {
  readonly facts: Readonly<Record<string, string>>
}

/** Reads the machine's facts and times 500 syncs of its disk below `folder`. */
export function describeMachine(folder: string): Machine {
  const syncMs = timeSyncs(join(folder, 'sync-test'))
  const cores = cpus()
  return {
    facts: {
      date: new Date().toISOString().slice(0, 10),
      processor: `${cores.length} × ${cores[0]?.model.trim() ?? 'unknown'}`,
      memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
      kernel: release(),
      'disk sync (4 KiB, fdatasync)': `median ${quantile(syncMs, 0.5).toFixed(2)} ms, p99 ${quantile(syncMs, 0.99).toFixed(2)} ms`,
      'load when it began': loadavg()
        .map((value) => value.toFixed(2))
        .join(', '),
      'Node.js': process.versions.node,
      Celery: debianVersion('python3-celery'),
      RabbitMQ: debianVersion('rabbitmq-server'),
      Pyro4: debianVersion('python3-pyro4'),
      Python: debianVersion('python3'),
      strace: debianVersion('strace'),
    },
  }
}

function timeSyncs(path: string): number[] {
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4096, 1)
  try {
    return Array.from({ length: 500 }, (_, at) => {
      writeSync(file, block, 0, block.length, at * block.length)
      const startedAt = performance.now()
      fdatasyncSync(file)
      return performance.now() - startedAt
    })
  } finally {
    closeSync(file)
    rmSync(path)
  }
}

/** The version of an installed Debian package; `not installed` otherwise. */
export function debianVersion(name: string): string {
  const { status, stdout } = spawnSync('dpkg-query', ['-W', '-f', `\${Version}`, name], { encoding: 'utf8' })
  return status === 0 && stdout !== '' ? stdout : 'not installed'
}
