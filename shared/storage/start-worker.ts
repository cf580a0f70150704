import { Worker, type WorkerOptions } from 'node:worker_threads'

/**
 * Starts the module beside `base` (an `import.meta.url`) as a worker thread: the compiled file, or the source where the
 * program itself runs from source (tsx then has to be registered in the thread too).
 */
export function startWorker(base: string, name: string, options: WorkerOptions): Worker {
  if (!base.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, base), options)
  const source = new URL(`./${name}.ts`, base).href
  const boot = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(source)}) })`
  return new Worker(boot, { ...options, eval: true })
}
