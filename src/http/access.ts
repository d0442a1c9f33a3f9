/** Who may be let in, as the configuration says it; and what is wrong with that. */
import { isLoopback } from './loopback.js';

export interface Access {
  /** Address that is listened on. */
  readonly host: string;
  readonly password?: string | null;
  readonly token?: string | null;
  /** Where a proxy with TLS serves the page. */
  readonly publicUrl?: string | null;
}

const secretMin = { password: 8, token: 16 } as const;

/** On loopback, whoever is on this machine is trusted unless there is a password or a token. */
export function needsLogin({ password, token }: Access): boolean {
  return [password, token].some((secret) => secret !== null && secret !== undefined);
}

export interface AccessProblem {
  readonly key: 'host' | 'password' | 'token' | 'publicUrl';
  readonly why: string;
}

/** Secrets as they are, not as `${NAME}`. Nothing that is said holds one of them. */
export function accessProblems(access: Access): AccessProblem[] {
  const { host, password, token, publicUrl } = access;
  const problems: AccessProblem[] = [];
  const isWide = !isLoopback(host);
  if (!needsLogin(access) && (isWide || (publicUrl ?? null) !== null)) {
    problems.push({
      key: isWide ? 'host' : 'publicUrl',
      why: `${JSON.stringify(isWide ? host : publicUrl)} lets others than this machine in, and there is no login; set http.password, http.passwordFile or http.token${isWide ? ', or keep http.host on 127.0.0.1' : ''}`,
    });
  }
  for (const [key, secret] of [['password', password] as const, ['token', token] as const]) {
    if (secret === null || secret === undefined) continue;
    if (secret.length < secretMin[key]) {
      problems.push({ key, why: `too short; use ${secretMin[key]} characters or more` });
    } else if (key === 'token' && !/^[\x21-\x7e]+$/.test(secret)) {
      problems.push({
        key,
        why: 'a header cannot carry it; use letters, digits and signs of ASCII',
      });
    }
  }
  return problems;
}
