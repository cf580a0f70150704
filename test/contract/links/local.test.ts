import { localLinks } from '@fernlab/shared/links/local/local-link'
import { linkContract } from '../link-contract.ts'

linkContract('in process', async () => ({
  open: async () => localLinks(),
  cut: (server) => void server.close('the wire broke'),
  close: async () => {},
}))
