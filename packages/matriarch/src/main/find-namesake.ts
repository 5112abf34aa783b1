/** Whether a member of our name is running somewhere already. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { StoreSnapshot } from '@matriarch/core';

const ANSWER_LIMIT_MS = 2_000;

/**
 * Where the namesake answers, or undefined. Any HTTP answer counts, as it does for Patroni: two
 * agents of one name would take the lease for each other's.
 */
export const findNamesake = async (
  name: string,
  snapshot: StoreSnapshot,
): Promise<string | undefined> => {
  const apiUrl = snapshot.members[name]?.value.apiUrl;
  if (apiUrl === undefined) return undefined;
  return (await answers(apiUrl)) ? apiUrl : undefined;
};

const answers = (apiUrl: string): Promise<boolean> =>
  new Promise((resolve) => {
    const send = apiUrl.startsWith('https:') ? httpsRequest : httpRequest;
    try {
      const request = send(new URL('/liveness', apiUrl), {
        rejectUnauthorized: false,
        timeout: ANSWER_LIMIT_MS,
      });
      request.on('response', (response) => {
        resolve(true);
        response.destroy();
      });
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve(false));
      request.on('close', () => resolve(false));
      request.end();
    } catch {
      // What another program left under our key is no URL: nobody can be asked.
      resolve(false);
    }
  });
