/** etcd's own answers, by its JSON gateway: what is really there, whatever the program says of it. */

export interface KeyValue {
  /** In base64, as all that the gateway gives and takes. */
  readonly value: string;
  readonly mod_revision: string;
  readonly lease?: string;
}

export const encodeText = (text: string): string => Buffer.from(text).toString('base64');
export const decodeText = (text: string): string => Buffer.from(text, 'base64').toString('utf8');

export const askEtcd = async <T>(endpoint: string, path: string, body: object): Promise<T> => {
  const answer = await fetch(`${endpoint}/v3/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  return (await answer.json()) as T;
};

export const readKey = async (endpoint: string, key: string): Promise<KeyValue | undefined> => {
  const { kvs } = await askEtcd<{ readonly kvs?: readonly KeyValue[] }>(endpoint, 'kv/range', {
    key: encodeText(key),
  });
  return kvs?.[0];
};
