// The form works without this; with it, questions come and go with the answers, advice follows, and drafts are saved.
"use strict";
(() => {
  const sheet = document.getElementById("sheet");
  if (!sheet) return;
  const value = (name) => {
    const picked = sheet.querySelector(`[name="${name}"]:checked`);
    const field = sheet.querySelector(`select[name="${name}"], input[name="${name}"]:not([type=radio]):not([type=checkbox])`);
    return picked ? picked.value : field ? field.value : "";
  };
  const arrange = () => {
    for (const field of sheet.querySelectorAll("[data-when]")) {
      field.hidden = !field.dataset.values.split("|").includes(value(field.dataset.when));
    }
  };
  let asked = 0;
  const advise = async () => {
    const box = document.getElementById("advice");
    const number = ++asked;
    const query = new URLSearchParams(["location", "size_gb", "transfer", "address"].map((name) => [name, value(name)]));
    try {
      const told = await (await fetch(`/advice?${query}`)).json();
      if (number !== asked) return;
      box.querySelector("[data-title]").textContent = told.title;
      box.querySelector("[data-steps]").replaceChildren(
        ...told.steps.map((step) => Object.assign(document.createElement("li"), { textContent: step })),
      );
      const command = box.querySelector("[data-command]");
      command.textContent = told.command || "";
      command.hidden = !told.command;
    } catch {
      // no network just now: the old advice stays
    }
  };
  const addRow = (rows) => {
    const last = rows.lastElementChild;
    const row = last.cloneNode(true);
    const number = rows.children.length;
    row.setAttribute("aria-label", `Person ${number + 1}`);
    for (const input of row.querySelectorAll("input")) {
      input.name = input.name.replace(/\[\d+\]/, `[${number}]`);
      if (input.type === "checkbox") input.checked = false;
      else input.value = "";
    }
    rows.append(row);
    row.querySelector("input").focus();
  };
  sheet.addEventListener("click", (event) => {
    const more = event.target.closest('button[value="more"]');
    if (!more) return;
    event.preventDefault();
    addRow(more.closest("fieldset").querySelector("[data-rows]"));
  });
  let changed = false;
  sheet.addEventListener("input", () => { changed = true; });
  sheet.addEventListener("change", (event) => {
    arrange();
    if (["location", "size_gb", "transfer", "address"].includes(event.target.name)) advise();
  });
  const tell = (token) => {
    const link = Object.assign(document.createElement("a"), { href: `/mine/${token}`, textContent: "your private link" });
    const when = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    document.getElementById("saved").replaceChildren(`Draft saved ${when}: `, link, " leads back to it");
  };
  const save = async () => {
    if (!changed || !sheet.dataset.autosave || !value("contact_name")) return;
    changed = false;
    const body = new URLSearchParams(new FormData(sheet));
    body.set("do", "save");
    try {
      const answer = await fetch(sheet.dataset.autosave, { method: "POST", body, redirect: "manual" });
      const kept = answer.type === "opaqueredirect";
      if (kept) tell(value("token"));
      changed = !kept;
    } catch {
      changed = true;
    }
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.activeElement.matches(".what")) document.activeElement.blur();
  });
  setInterval(save, 20000);
  sheet.classList.add("live");
  arrange();
})();
