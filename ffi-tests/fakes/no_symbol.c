/* Fake: a shared library that is not nashtrace. */
int unrelated(void);

int unrelated(void) { return 0; }
