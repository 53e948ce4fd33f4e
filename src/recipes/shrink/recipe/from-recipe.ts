import type { ShrinkRequest } from '../request.ts';
import { chosenTypes, readRecipe, type ChosenTypes, type ShrinkRecipe } from './recipe-file.ts';

/** What a recipe asks for. */
export interface RecipeRequest {
  readonly request: ShrinkRequest;
  readonly given: ChosenTypes;
}

const budgets = ['size', 'bits', 'keep'] as const;

/** What decides which types are chosen; given beside a recipe, types are chosen anew. */
const deciding = [...budgets, 'data', 'tokens', 'context', 'codebooks', 'types'] as const;

/**
 * Reads a recipe; what `asked` says counts more than what it says.
 *
 * @throws PithError as `readRecipe`.
 */
export async function requestOfRecipe(path: string, asked: ShrinkRequest): Promise<RecipeRequest> {
  return mergeRecipe(await readRecipe(path), asked);
}

/** The request of a recipe and what was asked for beside it. */
export function mergeRecipe(recipe: ShrinkRecipe, asked: ShrinkRequest): RecipeRequest {
  const isAsked = (key: keyof ShrinkRequest) => asked[key] !== undefined;
  const said = Object.entries(asked).filter(([, value]) => value !== undefined);
  const budget = budgets.some(isAsked) ? {} : recipe.budget;
  const request = { ...settingsOf(recipe), ...budget, ...Object.fromEntries(said) };
  const given: ChosenTypes = deciding.some(isAsked) ? new Map() : chosenTypes(recipe);
  return { request: { ...request, model: asked.model }, given };
}

function settingsOf({ model, calibration = {}, evaluation, candidates }: ShrinkRecipe) {
  const { data, tokens, context } = calibration;
  const hashed = [...(data ?? []), ...(evaluation?.data ?? [])].flatMap(({ name, sha256 }) =>
    sha256 === undefined ? [] : [[name, sha256] as const],
  );
  return {
    expected: { model: model?.sha256, data: new Map(hashed) },
    data: data?.map(({ name }) => name),
    tokens,
    context,
    evaluation: evaluation?.data.map(({ name }) => name),
    maxTokens: evaluation?.maxTokens,
    taskData: evaluation?.taskData,
    limit: evaluation?.limit,
    types: candidates,
  };
}
