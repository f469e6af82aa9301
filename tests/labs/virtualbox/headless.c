/* Stands in for VirtualBox's hardened starter of machines, which insists on its kernel module: the same libraries, told to do without
   (they interpret the guest then). Of no use outside of this lab. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>

#define DIR "/usr/lib/virtualbox/"

enum { UNRESTRICTED = 1, DRIVERLESS = 4, INTERPRETER_ALLOWED = 8 };

static void *library(const char *path) {
    void *handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!handle) fprintf(stderr, "%s\n", dlerror());
    return handle;
}

int main(int argc, char **argv, char **envp) {
    void *runtime = library(DIR "VBoxRT.so"), *session = 0, *headless;
    if (!runtime) return 1;
    int (*init)(int, char ***, uint32_t) = (int (*)(int, char ***, uint32_t))dlsym(runtime, "RTR3InitExe");
    int (*support)(uint32_t, void **) = (int (*)(uint32_t, void **))dlsym(runtime, "SUPR3InitEx");
    if (!init || !support || init(argc, &argv, 0) < 0) return 1;
    if (support(UNRESTRICTED | DRIVERLESS | INTERPRETER_ALLOWED, &session) < 0) return 1;
    headless = library(DIR "VBoxHeadless.so");
    if (!headless) return 1;
    int (*run)(int, char **, char **) = (int (*)(int, char **, char **))dlsym(headless, "TrustedMain");
    return run ? run(argc, argv, envp) : 1;
}
