/** Answers each line on a serial port at once, as an instrument without any delay of its own. */
import { SerialPort } from 'serialport'

/** Methods of the part `serial-instrument`; its port is open when this resolves. */
export async function open() {
  const port = new SerialPort({ path: process.env.BENCH_PORT ?? '', baudRate: 115_200, autoOpen: false })
  await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())))
  port.on('data', (bytes: Buffer) => {
    for (const byte of bytes) if (byte === 0x0a) port.write('T=25.3\n')
  })
  return {}
}
