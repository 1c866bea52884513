// What every page gains from JavaScript: keys, the local clock, news as it
// arrives, forms that answer at once. Nothing here is needed to read.

import { startArrivals } from "./arrivals";
import { startForms } from "./forms";
import { startKeys } from "./keys";
import { startLive, startPolling } from "./live";
import { startPictures } from "./picture";
import { startTimes } from "./times";

startTimes();
startKeys();
startForms();
startLive();
startPolling();
startArrivals();
startPictures();
