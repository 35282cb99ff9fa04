// The pages work without scripts; these add what a script can do better.
import "./theme.js";
import "./times.js";
import "./dialogs.js";
import "./live.js";
import "./lists.js";
import "./keys.js";
import "./logs.js";
import "./places.js";
