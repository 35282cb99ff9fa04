// On a narrow screen the places scroll sideways: show the one that this page is.
document.querySelector("header.bar nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
