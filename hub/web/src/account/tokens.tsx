import type { Me, Token } from '@fernlab/shared/contracts/api'
import { Button } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { tokensQuery } from '../api/queries.ts'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './account.module.css'
import { NewToken } from './new-token.tsx'
import { isScope, scopeWords } from './scopes.ts'

/** My API tokens: what each may do, when it was used, and how to end it. */
export function Tokens({ role }: { role: Me['role'] | undefined }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const tokens = useQuery(tokensQuery(api))
  const [creating, setCreating] = useState(false)
  const [revoking, setRevoking] = useState<Token>()
  const [revokingAll, setRevokingAll] = useState(false)
  const revoke = useMutation({
    mutationFn: (token: Token) => api.send('DELETE', `/api/v1/tokens/${token.id}`),
    onSuccess: () => {
      setRevoking(undefined)
      void client.invalidateQueries({ queryKey: ['tokens'] })
    },
  })
  const revokeAll = useMutation({
    mutationFn: () => api.send('POST', '/api/v1/tokens/revoke-all'),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['tokens'] })
      setRevokingAll(false)
    },
  })
  const open = tokens.data?.items.filter(({ revokedAt }) => revokedAt === undefined) ?? []
  return (
    <section className={styles.tokens} aria-labelledby="tokens">
      <div className={styles.tokensHead}>
        <div>
          <h2 id="tokens">{t('account.tokens')}</h2>
          <p className="soft">{t('account.tokensText')}</p>
        </div>
        <div className={styles.tokenWays}>
          {open.length > 1 ? (
            <Button variant="default" onClick={() => setRevokingAll(true)}>
              {t('account.revokeAll')}
            </Button>
          ) : null}
          <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => setCreating(true)}>
            {t('account.create')}
          </Button>
        </div>
      </div>
      {tokens.data === undefined ? (
        tokens.error === null ? (
          <Loading lines={2} />
        ) : (
          <ProblemNotice error={tokens.error} onRetry={() => void tokens.refetch()} />
        )
      ) : tokens.data.items.length === 0 ? (
        <p className="soft">{t('account.tokensEmpty')}</p>
      ) : (
        <ul className={styles.list}>
          {tokens.data.items.map((token) => (
            <TokenRow key={token.id} token={token} onRevoke={() => setRevoking(token)} />
          ))}
        </ul>
      )}
      <NewToken opened={creating} role={role} onClose={() => setCreating(false)} />
      <ConfirmDialog
        opened={revoking !== undefined}
        onClose={() => setRevoking(undefined)}
        title={t('account.revokeTitle', { name: revoking?.name ?? '' })}
        confirm={t('account.revoke')}
        pending={revoke.isPending}
        error={revoke.error}
        onConfirm={() => revoking && revoke.mutate(revoking)}
      >
        <p>{t('account.revokeText')}</p>
      </ConfirmDialog>
      <ConfirmDialog
        opened={revokingAll}
        onClose={() => setRevokingAll(false)}
        title={t('account.revokeAllTitle')}
        confirm={t('account.revokeAll')}
        pending={revokeAll.isPending}
        error={revokeAll.error}
        onConfirm={() => revokeAll.mutate()}
      >
        <p>{t('account.revokeAllText')}</p>
      </ConfirmDialog>
    </section>
  )
}

function TokenRow({ token, onRevoke }: { token: Token; onRevoke: () => void }) {
  const words = useWords()
  const { t } = words
  const over = token.revokedAt !== undefined
  const expired = token.expiresAt !== undefined && Date.parse(token.expiresAt) < Date.now()
  return (
    <li className={styles.token}>
      <span className={styles.tokenName}>{token.name}</span>
      <span className={styles.scopes}>
        {token.scopes.map((scope) => (isScope(scope) ? t(`account.scope.${scopeWords[scope]}`) : scope)).join(', ')}
      </span>
      <span className="soft">
        {token.lastUsedAt === undefined
          ? t('account.neverUsed')
          : t('account.lastUsed', { time: words.moment(token.lastUsedAt) })}
      </span>
      <span className="soft">
        {over
          ? t('account.revoked')
          : expired
            ? t('account.expired')
            : token.expiresAt === undefined
              ? t('account.noEnd')
              : t('account.ends', { time: words.moment(token.expiresAt) })}
      </span>
      {over ? (
        <span />
      ) : (
        <Button size="xs" variant="default" aria-label={`${t('account.revoke')}: ${token.name}`} onClick={onRevoke}>
          {t('account.revoke')}
        </Button>
      )}
    </li>
  )
}
