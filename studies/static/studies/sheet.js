// What a page says about its sheet: the key of the sheet, the item's position, the form. Every other module asks here.
const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

export const form = document.querySelector("[data-answer]");
export const sheet = meta("sheet");
export const step = meta("step");
export const position = meta("position") === "" ? -1 : Number(meta("position"));

export const ADDRESSES = { item: "/t/item/", draft: "/t/draft/", exposure: "/t/exposure/", where: "/t/" };

export function isText(element) {
  return element.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=range], [type=button])");
}
