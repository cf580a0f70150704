/** Packages that the node's bundle leaves out: what is compiled stays beside it; esbuild reads drivers of one's own. */
export const nativePackages = ['@photostructure/sqlite', 'serialport', 'cbor-extract', 'i2c-bus', 'onoff', 'esbuild']
