import { resolveImport } from './imports.ts';
import type { TreeFile, Untidiness } from './tree.ts';

const FENCED = /^(?<fence>```|~~~)[\s\S]*?^\k<fence>/gmu;
const INLINE_CODE = /`[^`\n]*`/gu;
const LINK = /\]\((?<target>[^()\s]+)\)|^\[[^\]]+\]:\s*(?<reference>\S+)/gmu;

/** How a heading is called in links: lower-case, spaces as hyphens, punctuation gone. */
const toAnchor = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/gu, '-');

const findAnchors = (text: string): readonly string[] =>
  Array.from(text.replaceAll(FENCED, '').matchAll(/^#{1,6}\s+(?<heading>.+)$/gmu), (match) =>
    toAnchor(match.groups?.['heading'] ?? ''),
  );

const findLinks = (text: string): readonly string[] =>
  Array.from(
    text.replaceAll(FENCED, '').replaceAll(INLINE_CODE, '').matchAll(LINK),
    (match) => match.groups?.['target'] ?? match.groups?.['reference'] ?? '',
  );

const checkLink = (
  file: TreeFile,
  link: string,
  files: readonly TreeFile[],
): readonly Untidiness[] => {
  if (/^[a-z]+:/u.test(link)) return [];
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? file.path : resolveImport(file, path).replace(/\/$/u, '');
  const page = files.find((candidate) => candidate.path === target);
  const isFolder = files.some((candidate) => candidate.path.startsWith(`${target}/`));
  if (page === undefined && !isFolder) return [`${file.path} links to ${link}, which is not there`];
  if (anchor === undefined || page === undefined || !target.endsWith('.md')) return [];
  if (findAnchors(page.text).includes(anchor)) return [];
  return [`${file.path} links to ${link}, but ${target} has no such heading`];
};

/** Links between the pages that lead nowhere. Addresses of other sites are not followed. */
export const checkLinks = (files: readonly TreeFile[]): readonly Untidiness[] =>
  files
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap((file) => findLinks(file.text).flatMap((link) => checkLink(file, link, files)));
