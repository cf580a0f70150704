import { useLocation } from '@tanstack/react-router'

/** The secret of a one-time link: it stands behind the `#`, so that no server, log or referrer ever sees it. */
export const useLinkToken = (): string | undefined =>
  useLocation({ select: ({ hash }) => new URLSearchParams(hash).get('token') ?? undefined })
