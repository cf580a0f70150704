/**
 * A small ext4 in a file, mounted by the loop driver: for power cuts and full disks. Needs root.
 *
 * A power cut is a copy of the image file taken while the writer is stopped: what was synced is in the file, what only
 * sat in memory is not. The copy is mounted in the place of the old one, so that paths stay the same.
 */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, statfsSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Why loop disks cannot be had here; undefined where they can. */
export function loopDiskProblem(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root to mount a loop device'
  for (const command of ['mkfs.ext4', 'losetup', 'mount']) {
    if (spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${command}`]).status !== 0)
      return `needs ${command}`
  }
  return spawnSync('losetup', ['-f'], { env: withSbin }).status === 0 ? undefined : 'has no free loop device'
}

const withSbin = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }

export class LoopDisk {
  /** Where it is mounted. */
  readonly path: string
  readonly #folder: string
  #image: string
  #generation = 0

  private constructor(folder: string) {
    this.#folder = folder
    this.path = join(folder, 'mounted')
    this.#image = join(folder, 'disk-0.img')
  }

  /** Makes and mounts one of that size. */
  static async make(folder: string, sizeMiB: number): Promise<LoopDisk> {
    const disk = new LoopDisk(folder)
    mkdirSync(disk.path, { recursive: true })
    await run('truncate', ['-s', `${sizeMiB}M`, disk.#image])
    await run('mkfs.ext4', ['-q', '-F', '-m', '0', disk.#image], { env: withSbin })
    await disk.#mount()
    return disk
  }

  async #mount(): Promise<void> {
    await run('mount', ['-o', 'loop', this.#image, this.path], { env: withSbin })
  }

  /** Copies the image as it is at this moment; call while the writer is stopped. */
  async copyImage(): Promise<string> {
    this.#generation += 1
    const copy = join(this.#folder, `disk-${this.#generation}.img`)
    await run('cp', ['--sparse=always', this.#image, copy])
    return copy
  }

  /** Puts the copy in the place of the disk; nothing may have files open below `path`. */
  async replaceBy(copy: string): Promise<void> {
    await this.#unmount()
    unlinkSync(this.#image)
    this.#image = copy
    await this.#mount()
  }

  /** Takes all that is free, to the last block; `free` undoes it. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.path)
    // A little is left to the file system's own tables, then small files take the rest.
    spawnSync('fallocate', ['-l', String(Math.max(bsize, (bavail - 64) * bsize)), join(this.path, 'filler')])
    try {
      for (let i = 0; ; i++) writeFileSync(join(this.path, `filler-${i}`), Buffer.alloc(bsize, 1))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }

  free(): void {
    rmSync(join(this.path, 'filler'), { force: true })
    for (let i = 0; existsSync(join(this.path, `filler-${i}`)); i++) rmSync(join(this.path, `filler-${i}`))
  }

  async #unmount(): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await run('umount', [this.path], { env: withSbin })
        return
      } catch (error) {
        if (tries === 40) throw error
        await new Promise((resolve) => setTimeout(resolve, 50)) // a killed process is still closing its files
      }
    }
  }

  async remove(): Promise<void> {
    await this.#unmount()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
