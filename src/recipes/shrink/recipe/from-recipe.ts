import { PithError } from '../../../util/errors.ts';
import { locateText } from '../../evaluate/text.ts';
import { hashFiles } from '../../report/version-facts.ts';
import { chosenTypes, readRecipe, type ChosenTypes, type ShrinkRecipe } from './recipe-file.ts';
import type { ShrinkRequest } from '../request.ts';

/** What a recipe asks for. */
export interface RecipeRequest {
  readonly request: ShrinkRequest;
  readonly given: ChosenTypes;
}

/** What decides which types are chosen; given beside a recipe, types are chosen anew. */
const deciding = [
  'size',
  'bits',
  'keep',
  'data',
  'tokens',
  'context',
  'codebooks',
  'types',
] as const;

/**
 * Reads a recipe; what `asked` says counts more than what it says.
 *
 * @throws PithError as `readRecipe`; `conflict` for a text that has changed since.
 */
export async function requestOfRecipe(path: string, asked: ShrinkRequest): Promise<RecipeRequest> {
  const recipe = await readRecipe(path);
  const isAsked = (key: keyof ShrinkRequest) => asked[key] !== undefined;
  const said = Object.entries(asked).filter(([, value]) => value !== undefined);
  const budget = (['size', 'bits', 'keep'] as const).some(isAsked) ? {} : recipe.budget;
  if (!isAsked('data')) await requireUnchanged(recipe.calibration?.data, path);
  if (!isAsked('evaluation')) await requireUnchanged(recipe.evaluation?.data, path);
  const request = { ...settingsOf(recipe), ...budget, ...Object.fromEntries(said) };
  const given = deciding.some(isAsked) ? new Map() : chosenTypes(recipe);
  return { request: { ...request, model: asked.model }, given };
}

function settingsOf({ model, calibration = {}, evaluation, candidates }: ShrinkRecipe) {
  return {
    modelHash: model?.sha256,
    data: calibration.data?.map(({ name }) => name),
    tokens: calibration.tokens,
    context: calibration.context,
    evaluation: evaluation?.data.map(({ name }) => name),
    maxTokens: evaluation?.maxTokens,
    types: candidates,
  };
}

type Texts = NonNullable<NonNullable<ShrinkRecipe['calibration']>['data']>;

async function requireUnchanged(texts: Texts | undefined, recipe: string): Promise<void> {
  for (const { name, sha256 } of texts ?? []) {
    if (sha256 === undefined || (await hashFiles([locateText(name)], undefined)) === sha256)
      continue;
    throw new PithError(
      'conflict',
      `${name} is not the text that ${recipe} was made with: its SHA-256 differs.`,
      'Find the old one, or leave its sha256 out of the recipe.',
    );
  }
}
