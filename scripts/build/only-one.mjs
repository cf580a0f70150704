// One build at a time on a clone; the lock of a process that is gone is taken over. (Two that take it over within the
// same millisecond both build: wasteful, and seen by the next start as stale.)
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const lookAgainMs = 100

/** Runs `work` while no other process does it under the same lock file; waits for its turn, saying so once. */
export async function onlyOne(path, say, work) {
  mkdirSync(dirname(path), { recursive: true })
  for (let said = false; !take(path); ) {
    if (!said) say('Waiting for another build …')
    said = true
    await sleep(lookAgainMs)
  }
  try {
    return await work()
  } finally {
    rmSync(path, { force: true })
  }
}

function take(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  if (!lives(holder(path))) rmSync(path, { force: true })
  return false
}

function holder(path) {
  try {
    return Number(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return 0
    throw error
  }
}

/** A file without a pid yet is being written by its process. */
function lives(pid) {
  if (pid === 0) return true
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
