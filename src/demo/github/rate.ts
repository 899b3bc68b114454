/** The least that GitHub gives an installation. */
export const perHour = 5000;
