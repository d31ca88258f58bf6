(() => {
  const tests = [...document.querySelectorAll("[data-outcome]")];
  const input = document.querySelector("input[type=search]");
  const buttons = [...document.querySelectorAll("[data-show]")];
  const show = () => {
    const words = input ? input.value.toLowerCase().split(/\s+/) : [];
    const wanted = buttons.filter(b => b.classList.contains("on")).map(b => b.dataset.show);
    for (const test of tests) {
      const fits = (!wanted.length || wanted.includes(test.dataset.outcome))
        && words.every(word => test.dataset.words.includes(word));
      test.classList.toggle("hidden", !fits);
    }
    for (const file of document.querySelectorAll(".file"))
      file.classList.toggle("hidden", !file.querySelector("[data-outcome]:not(.hidden)"));
  };
  for (const button of buttons)
    button.addEventListener("click", () => { button.classList.toggle("on"); show(); });
  if (input) input.addEventListener("input", show);
  const open = () => {
    const at = document.getElementById(location.hash.slice(1));
    if (at && at.tagName === "DETAILS") at.open = true;
  };
  addEventListener("hashchange", open);
  open();
})();
