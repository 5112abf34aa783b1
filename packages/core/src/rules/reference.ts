import type { Rule } from './rule.ts';
import { rules } from './table.ts';

const renderRule = (rule: Rule, index: number): string =>
  [
    `### ${index + 1}. \`${rule.id}\`${rule.urgent === true ? ' (urgent)' : ''}`,
    '',
    `- **When** ${rule.when}.`,
    `- **Does** ${rule.does}.`,
    `- **Why** ${rule.why}.`,
    `- **Without it** ${rule.without}.`,
    '',
  ].join('\n');

/** The page `docs/reference/rules.md`: every rule in the order in which they are asked. */
export const renderRuleReference = (): string =>
  [
    '# Rules',
    '',
    'Generated from `packages/core/src/rules/table.ts` by `npm run docs`. Do not edit.',
    '',
    'A member asks these rules in this order, each time something happens. The first one that',
    'applies answers, and its answer is journalled with its evidence. While an action is under way',
    'only urgent rules are asked.',
    '',
    ...rules.map(renderRule),
  ].join('\n');
