/** The host's ffmpeg in a guest whose test has `ffmpeg: true` in its `.need.ts`. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'

export const ffmpegTag = 'ffmpeg'
/** Where it is mounted; `bin/ffmpeg` in it starts the program with its libraries. */
export const ffmpegFolder = '/ffmpeg'

/** The kernel modules by which it is reached, for the `.need.ts`. */
export const ffmpegModules = ['virtio_pci', '9pnet_virtio', '9p'] as const

/** Puts ffmpeg on this process's PATH; gives what takes it away again, once nothing of it runs. */
export function mountFfmpeg(): () => void {
  const { PATH } = process.env
  mkdirSync(ffmpegFolder, { recursive: true })
  // It never changes: what was read once stays in the guest's memory.
  const options = 'trans=virtio,version=9p2000.L,ro,cache=loose,msize=524288'
  execFileSync('mount', ['-t', '9p', '-o', options, ffmpegTag, ffmpegFolder])
  process.env.PATH = `${ffmpegFolder}/bin:${PATH}`
  return () => {
    process.env.PATH = PATH
    execFileSync('umount', [ffmpegFolder])
  }
}
